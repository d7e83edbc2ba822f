"""Whose lease may be inherited: that of an owner which the same main started, and which is dead for certain.

Process: whatsapp.

Another box cannot know whether an owner is dead, so it waits until the lease has run out. A successor on the same box
can: the name of a holder says which run of which main started it, and under which PID. Nothing sends on its behalf any
more, and the lease changes its token as with any other change of owner.
"""

import psutil


def holder_name(host: str, box: str, pid: int) -> str:
    """The name of an owner: the host for people, ``box`` (random, one for each run of a main) and the PID."""
    return f"{host}:{box}:{pid}"


def is_dead_sibling(holder: str, *, ours: str) -> bool:
    """Did the main that started us start this holder, and is it dead? A PID that somebody has again counts as alive."""
    family, _, pid = holder.rpartition(":")
    if not family or family != ours.rpartition(":")[0] or holder == ours or not pid.isdigit():
        return False
    try:
        return bool(psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
