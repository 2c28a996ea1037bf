#!/bin/sh
# In a container what the timers of deploy/systemd are on a machine: selfreg_recover every five minutes, selfreg_purge
# every hour, selfreg_doctor every week. Ends at SIGTERM, after the row at hand.
child=
trap 'test -n "$child" && kill -TERM "$child"; wait; exit 0' TERM INT
count=0
while :; do
    for each in "1 selfreg_recover" "12 selfreg_purge" "2016 selfreg_doctor --fail-level warning"; do
        every=${each%% *}
        if [ $((count % every)) -eq 0 ]; then
            # shellcheck disable=SC2086
            python manage.py ${each#* } &
            child=$!
            wait "$child" || true
        fi
    done
    count=$((count + 1))
    sleep "${TIMERS_SECONDS:-300}" &
    child=$!
    wait "$child" || true
done
