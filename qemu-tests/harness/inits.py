# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test asks of the first process of a whole machine, by init: shell scripts."""

from dataclasses import dataclass

from ground import systems


@dataclass(frozen=True)
class Init:
    """settled: ends when the boot, and what it has begun, is over; exit 0 if all of it went well.
    failed: names what did not. enabled: says "enabled" if crashpod is to be loaded at boot, else
    "disabled". collected: exit 0 if what fetches dumps at boot did not fail, when the boot is over.
    log: what crashpod has said at this boot. login: root logs in on the serial console, anew."""
    settled: str
    failed: str
    enabled: str
    collected: str
    log: str
    login: str


# until a shell of that login is there
_LOGGED_IN = """
for i in $(seq 60); do
    pgrep -t ttyS0 -x bash > /dev/null && break
    sleep 1
done
sleep 3"""

# A login on the serial console, which is the machine's console.log: the getty is started anew with it.
_SYSTEMD_LOGIN = """dir=/run/systemd/system/serial-getty@ttyS0.service.d
mkdir -p $dir
printf '[Service]\\nExecStart=\\nExecStart=-/sbin/agetty --autologin root --keep-baud 115200 - vt220\\n' \\
    > $dir/login.conf
systemctl daemon-reload
systemctl restart serial-getty@ttyS0.service"""

_SYSVINIT_LOGIN = """pkill -KILL -t ttyS0
sed -i '/^T0:/d' /etc/inittab
echo 'T0:2345:respawn:/sbin/agetty --autologin root --keep-baud 115200 ttyS0 vt220' >> /etc/inittab
telinit q"""

# What init runs at boot, and what crashpod's script has left running after it.
_SYSVINIT_SETTLED = """i=0
while test "$(runlevel)" != 'N 2' || pgrep -x 'rc|startpar' > /dev/null || pgrep -x crashpod > /dev/null; do
    i=$((i + 1))
    test $i -lt 300 || { runlevel; ps -ef; exit 1; }
    sleep 1
done"""

# The agent has each of these scripts logged, too: they must not find themselves.
_SYSVINIT_LOG = """tail -n "+$(grep -an ' kernel: .*Linux versio[n] ' /var/log/syslog | tail -n 1 |
    cut -d : -f 1)" /var/log/syslog | grep -a '[a-z] crashpo[d]: '"""

INITS = {
    "systemd": Init(
        "systemctl is-system-running --wait", "systemctl --failed --no-legend",
        "systemctl is-enabled crashpod.service",
        "test \"$(systemctl is-failed crashpod-collect.service)\" != failed",
        "journalctl -b -u crashpod-collect.service", _SYSTEMD_LOGIN + _LOGGED_IN),
    "sysvinit": Init(
        _SYSVINIT_SETTLED, "ps -ef; tail -n 20 /var/log/syslog",
        "ls /etc/rc[2-5].d/S??crashpod > /dev/null 2>&1 && echo enabled || echo disabled",
        f"! {{ {_SYSVINIT_LOG}; }} | grep 'failed'", _SYSVINIT_LOG, _SYSVINIT_LOGIN + _LOGGED_IN),
}


def of(system):
    """The init of a machine (ground.systems.System)."""
    return INITS[systems.KINDS[system.kind].init]
