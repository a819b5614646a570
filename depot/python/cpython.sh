# Runs inside the unpacked packages: leaves CPython in /opt/python, to work there on nodes that have none.
set -eu
mkdir -p /opt/python/bin /opt/python/lib
cp /usr/bin/python3.11 /opt/python/bin/
ln -s python3.11 /opt/python/bin/python3
cp -a /usr/lib/python3.11 /opt/python/lib/
cd /opt/python/lib/python3.11
# Neither Ansible's modules nor testinfra's import these.
rm -rf EXTERNALLY-MANAGED sitecustomize.py config-* dist-packages ensurepip idlelib lib2to3 pydoc_data sqlite3 test \
  tkinter turtle.py turtledemo curses __pycache__ lib-dynload/_curses* lib-dynload/_sqlite3* lib-dynload/_test* \
  lib-dynload/_codecs_[chjkt]* lib-dynload/readline* lib-dynload/audioop* lib-dynload/_dbm* lib-dynload/_xxtest* \
  lib-dynload/_tkinter* lib-dynload/nis*
bring_libraries
# Compiled once here instead of once a node. The sources' times mean nothing after unpacking, so they are not compared.
/opt/python/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/python/lib/python3.11
