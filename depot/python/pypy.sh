# Runs inside the unpacked packages: leaves PyPy in /opt/python, to work there on nodes that have none.
set -eu
mkdir -p /opt/python/bin /opt/python/lib
cp /usr/bin/pypy3.9 /opt/python/bin/
ln -s pypy3.9 /opt/python/bin/python3
cp /usr/lib/*-linux-gnu/libpypy3.9-c.so /opt/python/lib/
cp -a /usr/lib/pypy3.9 /opt/python/lib/
cd /opt/python/lib/pypy3.9
# Neither Ansible's modules nor testinfra's import these.
rm -rf EXTERNALLY-MANAGED sitecustomize.py dist-packages ensurepip idlelib lib2to3 pydoc_data sqlite3 test tkinter \
  turtle.py turtledemo curses __pycache__ _curses_cffi* _sqlite3_cffi* _audioop_cffi* _gdbm_cffi* pyrepl hpy hpy.dist-info
bring_libraries
/opt/python/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/python/lib/pypy3.9
