#!/bin/busybox sh
# Process 1 of a virtual router, machine or container. What it is, is on the kernel's command line
# or, in a container, in the file /plan:
#   vms.name=NAME  vms.nic=MAC,ADDRESS/PREFIX (one each)  vms.gateway=ADDRESS  vms.ping=ADDRESS
#   vms.send=ADDRESS,PACKETS-PER-SECOND,BYTES  vms.shell=1
# With the latter there is a shell at the serial console, and nothing else says anything there.
# Lines on the serial console that begin with VMS- are read by the testbed.
/bin/busybox mkdir -p /bin /proc /sys /dev /run
/bin/busybox --install -s /bin
control=/control
agent=
if [ -e /plan ]; then
    plan=/plan
    # Nobody reads a container's console, and one that is full stops who writes.
    exec >/serial 2>&1
else
    plan=/proc/cmdline
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs dev /dev
    while read -r module; do insmod "/lib/$module.ko"; done </lib/order
    for port in /sys/class/virtio-ports/*; do
        case $(cat "$port/name") in
            vms.control) control=/dev/${port##*/} ;;
            org.qemu.guest_agent.0) agent=/dev/${port##*/} ;;
        esac
    done
fi

value() { tr ' ' '\n' <$plan | sed -n "s/^vms\.$1=//p"; }

# Sets up the interfaces that are not yet: also those that are plugged later.
set_up() {
    for nic in $(value nic); do
        mac=${nic%%,*}
        for interface in /sys/class/net/*; do
            if [ "$(cat "$interface/address" 2>/dev/null)" = "$mac" ] &&
                [ "$(cat "$interface/flags")" = 0x1002 ]; then
                ip addr add "${nic#*,}" dev "${interface##*/}"
                ip link set "${interface##*/}" up
            fi
        done
    done
}

ip link set lo up
set_up
gateway=$(value gateway)
[ -z "$gateway" ] || ip route add default via "$gateway"
echo 1 >/proc/sys/net/ipv4/ip_forward
[ -z "$agent" ] || qemu-ga --method=virtio-serial --path="$agent" --statedir=/run &
router "$control" $(value send | tr , ' ') &
echo "VMS-UP $(value name) $(cut -d' ' -f1 /proc/uptime)"

if [ -n "$(value shell)" ]; then
    # The prompt is told apart from what is typed: that is echoed.
    while :; do setsid cttyhack sh </dev/ttyS0 >/dev/ttyS0 2>&1; sleep 1; done &
fi

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
    set_up
done
