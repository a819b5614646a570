# Python and the dashboard's packages, which are in /tree/usr/lib/dashboard already.
set -eu
collect /usr/bin/python3.11 /usr/lib/python3.11 /etc/mime.types
ln -s python3.11 /tree/usr/bin/python3
cd /tree/usr/lib/python3.11
rm -rf EXTERNALLY-MANAGED sitecustomize.py config-* ensurepip idlelib lib2to3 pydoc_data test tkinter turtle.py turtledemo \
  curses __pycache__ lib-dynload/_curses* lib-dynload/_test* lib-dynload/_xxtest* lib-dynload/_tkinter*
collect_shell
collect_libraries
# A start on a busy node is quicker when nothing has to be compiled.
/usr/bin/python3.11 -m compileall -q --invalidation-mode unchecked-hash -s /tree -p / \
  /tree/usr/lib/python3.11 /tree/usr/lib/dashboard
