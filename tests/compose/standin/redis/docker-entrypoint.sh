#!/bin/sh
# Options alone or a .conf file mean redis-server; root gives /data to redis and becomes redis;
# protected mode is off, as in the published image.
set -e
case ${1:-} in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "$1" = redis-server ]; then
    case " $* " in
    *' --protected-mode '* | *.conf*) ;;
    *) set -- "$@" --protected-mode no ;;
    esac
    if [ "$(id -u)" = 0 ]; then
        find . \! -user redis -exec chown redis '{}' +
        exec setpriv --reuid=redis --regid=redis --clear-groups -- "$@"
    fi
fi
exec "$@"
