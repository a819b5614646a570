# Redis server and client.
set -eu
collect /usr/bin/redis-server /usr/bin/redis-check-rdb /usr/bin/redis-cli
collect_shell
collect_libraries
mkdir -p /tree/data
