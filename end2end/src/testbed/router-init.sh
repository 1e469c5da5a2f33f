#!/bin/busybox sh
# Process 1 of a virtual router. The kernel command line says what it is:
#   vms.name=NAME  vms.nic=MAC,ADDRESS/PREFIX (one each)  vms.gateway=ADDRESS  vms.ping=ADDRESS
# Lines on the serial console that begin with VMS- are read by the testbed.
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/lib/$module.ko"; done </lib/order

value() { tr ' ' '\n' </proc/cmdline | sed -n "s/^vms\.$1=//p"; }

ip link set lo up
for nic in $(value nic); do
    mac=${nic%%,*}
    for interface in /sys/class/net/*; do
        if [ "$(cat "$interface/address")" = "$mac" ]; then
            ip addr add "${nic#*,}" dev "${interface##*/}"
            ip link set "${interface##*/}" up
        fi
    done
done
gateway=$(value gateway)
[ -z "$gateway" ] || ip route add default via "$gateway"
echo 1 >/proc/sys/net/ipv4/ip_forward
echo "VMS-UP $(value name) $(cut -d' ' -f1 /proc/uptime)"

target=$(value ping)
while :; do
    if [ -n "$target" ]; then
        if ping -c 1 -W 1 "$target" >/dev/null 2>&1; then
            echo "VMS-PING $target ok"
        else
            echo "VMS-PING $target lost"
        fi
    fi
    sleep 1
done
