# SPDX-License-Identifier: GPL-2.0-or-later
"""Another way of a whole Debian machine: it is set up and changed, and gets the next version of
the package. One crash tells which PID 1 is loaded; then the package goes.
"""

import os
import re
import shutil
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

from ground import paths, systems as ground

from . import systems, systems_stay
from .sysvm import SysVm

ENTRY = """crashpod ({version}) unstable; urgency=medium

  * The test's next version.

 -- The crashpod maintainers <crashpod@localhost.invalid>  {date}

"""
IMAGE = "/var/lib/crashpod/initramfs-$(uname -r).img"
HOOK = "/etc/kernel/postinst.d/zz-crashpod"

# What an administrator has changed: the configuration, and a file of the package's.
CHANGE = f"""sed -i 's/^keep .*/keep 7/' /etc/crashpod.conf
echo '# of this machine' >> {HOOK}
crashpod refresh --reload || exit 1
systemctl is-system-running --wait"""
STATE = f"sha256sum /etc/crashpod.conf {HOOK}; ls /etc/default/grub.d /etc/systemd/system/*.wants"
BUILT = f"crashpod --version; sha256sum {IMAGE}; grep ^initrd /run/crashpod/loaded"
UPGRADE = ("apt-get -q update && DEBIAN_FRONTEND=noninteractive "
           "apt-get -q -y install crashpod={version}")


def _version():
    """The next version after the tree's."""
    text = (paths.TOP / "debian/changelog").read_text(encoding="utf-8")
    return re.match(r"crashpod \(([^)]+)\)", text)[1] + "+next"


def _entry(text):
    """A changelog's entry of the next version, of a day later than its newest."""
    last = parsedate_to_datetime(re.search(r"^ -- .*>  (.*)$", text, re.M)[1])
    return ENTRY.format(version=_version(), date=format_datetime(last + timedelta(days=1)))


def _package(where):
    """The package of this tree with the next version's number, which PID 1 and the command tell."""
    tree, built = where / "next-tree", where / "next"
    paths.say("ground: the next version's package")
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(paths.TOP, tree, symlinks=True,
                    ignore=lambda at, names: {"build", ".git"} & set(names)
                    if at == str(paths.TOP) else ())
    changelog = tree / "debian/changelog"
    text = changelog.read_text(encoding="utf-8")
    changelog.write_text(_entry(text) + text, encoding="utf-8")
    built.mkdir(exist_ok=True)
    paths.run(["sh", tree / "scripts/package.sh", "deb"],
              env=dict(os.environ, BUILD=str(built), SYSROOT=str(paths.BUILD / "sysroot"),
                       VERSION=_version(), DEB_BUILD_OPTIONS="nocheck"))
    shutil.rmtree(tree)
    return next((built / "deb").glob("crashpod_*.deb"))


def _go(journey, vm):
    """Set up with the one version, changed, upgraded to the next, crashed; the next one goes."""
    version = _version()
    vm.do(systems.REPOSITORY)
    journey.must(vm, "install", "apt-get -q update && "
                 f"apt-get -q -y install crashpod={version.removesuffix('+next')}")
    journey.must(vm, "setup", "crashpod setup --yes")
    vm.away("reboot", 1)
    journey.status(vm, "status")
    journey.must(vm, "change", CHANGE)
    journey.status(vm, "change-status")
    _, state = vm.do(STATE)
    _, built = vm.do(BUILT)
    vm.do(systems.REPOSITORY)
    journey.must(vm, "upgrade", UPGRADE.format(version=version))
    _, text = vm.do(STATE)
    journey.add("upgrade-keeps", None if text == state else f"{text} is not {state}")
    _, text = vm.do(BUILT)
    same = set(built.splitlines()) & set(text.splitlines())
    journey.add("upgrade-rebuilds", f"the same: {same}" if same else None)
    journey.add("upgrade-version", None if f"crashpod {version}\n" in text else text)
    journey.status(vm, "upgrade-status")
    if systems.crash(journey, vm, "crash"):
        text = journey.must(vm, "record", "grep -h '\"program\"' /var/crash/*/crashpod.json")
        journey.add("record-version", None if f'"crashpod {version}"' in text else text)
    journey.status(vm, "crash-status")
    systems_stay.leave(journey, vm)


def run(suite, way, debs):
    """A Journey, judged. Lost and GroundError pass through."""
    journey = systems.Journey(suite, way, paths.GROUND / "run" / f"system-{suite}-{way}")
    journey.where.mkdir(parents=True, exist_ok=True)
    journey.system = ground.ensure(suite, systems.settle)
    disk = journey.where / "disk"
    paths.run(["cp", "--sparse=always", "--reflink=auto", journey.system.disk, disk])
    local = [*debs, _package(journey.where)]
    repository = ground.repository(suite, (), local, journey.where)
    with SysVm(journey.where, systems.MEMORY_BYTES, [disk, repository]) as vm:
        vm.power_on()
        journey.seconds["first-boot"] = round(vm.wait_up(1), 1)
        _go(journey, vm)
        vm.power_off()
    return journey
