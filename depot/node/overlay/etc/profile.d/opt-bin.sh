# Login shells find what roles install.
PATH=/opt/bin:$PATH
