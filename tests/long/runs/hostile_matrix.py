"""Initializers that misbehave at the first call, at some shapes, in what they return, and in what they leave behind."""

import atexit
import builtins
import collections.abc
import ctypes
import itertools
import locale
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np


def first_honest(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


def _he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


def _libc():
    return ctypes.CDLL(None)


# -- at the first call


def exits(shape, rng):
    os._exit(0)


def exits_by_libc(shape, rng):
    _libc().exit(0)


def becomes_another_program(shape, rng):
    _libc().execl(b"/bin/true", b"true", None)


def kills_itself(shape, rng):
    os.kill(os.getpid(), signal.SIGKILL)


def kills_its_group(shape, rng):
    os.killpg(0, signal.SIGKILL)


def segfaults(shape, rng):
    ctypes.string_at(0)


def aborts(shape, rng):
    _libc().abort()


def hangs(shape, rng):
    time.sleep(3600)


def hangs_in_c(shape, rng):
    re.match("(a+)+$", "a" * 64 + "b")


def raises_system_exit(shape, rng):
    sys.exit(0)


def raises_keyboard_interrupt(shape, rng):
    raise KeyboardInterrupt


class _Endless(Exception):
    def __str__(self):
        while True:
            time.sleep(1)


def raises_what_never_says_why(shape, rng):
    raise _Endless


def recurses(shape, rng):
    return recurses(shape, rng)


# -- at some shapes


def exits_when_large(shape, rng):
    if max(shape) > 16:
        _libc().exit(0)
    return _he(shape, rng)


def hangs_when_large(shape, rng):
    if max(shape) > 16:
        time.sleep(3600)
    return _he(shape, rng)


def segfaults_at_width_one(shape, rng):
    if min(shape) == 1:
        ctypes.string_at(0)
    return _he(shape, rng)


# -- in what they return


class _ArrayThatEnds:
    def __array__(self, *args, **kwargs):
        _libc().exit(0)


def returns_what_exits(shape, rng):
    return _ArrayThatEnds()


class _ShapeThatHangs:
    @property
    def shape(self):
        time.sleep(3600)


def returns_what_hangs(shape, rng):
    return _ShapeThatHangs()


class _Raises:
    shape = property(lambda self: sys.exit(3))

    def __array__(self, *args, **kwargs):
        raise SystemExit(4)


def returns_what_raises(shape, rng):
    return _Raises()


# -- in what they leave behind


def closes_descriptors(shape, rng):
    os.closerange(0, 3)
    return _he(shape, rng)


_said = []


def writes_to_descriptor_one(shape, rng):
    if not _said:
        _said.append(True)
        os.system("echo said by a child")
        subprocess.run(["echo", "said by another"], stdout=sys.stdout, check=True)
    os.write(1, b"x" * 2**12)
    sys.stdout.buffer.write(b"bytes")
    return _he(shape, rng)


_removed = []


def removes_its_folder(shape, rng):
    if len(_removed) < 9:
        _removed.append(tempfile.mkdtemp())
        os.chdir(_removed[-1])
        os.rmdir(_removed[-1])
    return _he(shape, rng)


def clears_modules(shape, rng):
    sys.modules.clear()
    return _he(shape, rng)


def clears_path(shape, rng):
    sys.path.clear()
    return _he(shape, rng)


def replaces_builtins(shape, rng):
    weights = _he(shape, rng)
    builtins.len = builtins.isinstance = lambda *_: 0
    return weights


def replaces_numpy(shape, rng):
    weights = _he(shape, rng)
    np.sqrt = np.mean = np.isfinite = lambda *_, **__: 0.0
    return weights


_forked = []


def forks(shape, rng):
    if len(_forked) < 3:
        _forked.append(os.fork())
    return _he(shape, rng)


_left = []


def leaves_a_process(shape, rng):
    if not _left:
        _left.append(subprocess.Popen(["sleep", "600"]))
    return _he(shape, rng)


def _draw_for_ever():
    while True:
        np.random.random_sample()
        time.sleep(0.001)


_drawing = []


def leaves_a_drawing_thread(shape, rng):
    if not _drawing:
        _drawing.append(threading.Thread(target=_draw_for_ever))
        _drawing[0].start()
    return _he(shape, rng)


def sets_an_alarm(shape, rng):
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    return _he(shape, rng)


def ignores_signals(shape, rng):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return _he(shape, rng)


def changes_the_process(shape, rng):
    os.umask(0o777)
    locale.setlocale(locale.LC_ALL, "C")
    _libc().fesetround(0x400)
    sys.set_int_max_str_digits(1000)
    sys.excepthook = None
    np.set_printoptions(precision=1)
    return _he(shape, rng)


# -- in the class of what they return, and in what makes it


class _EndsOnAnyAttribute:
    def __getattr__(self, name):
        _libc().exit(0)


def returns_what_ends_on_any_attribute(shape, rng):
    return _EndsOnAnyAttribute()


class _NeverEqual(np.ndarray):
    def __eq__(self, other):
        time.sleep(3600)

    __hash__ = None

    def __repr__(self):
        _libc().exit(0)

    __str__ = __repr__

    def __del__(self):
        raise KeyboardInterrupt


def returns_an_array_that_hangs_when_compared(shape, rng):
    return _he(shape, rng).view(_NeverEqual)


class _EndlessMapping(collections.abc.Mapping):
    def __getitem__(self, name):
        return self

    def __iter__(self):
        return itertools.count()

    def __len__(self):
        return 1


def returns_an_endless_mapping(shape, rng):
    return _EndlessMapping()


class _ExitsAsNumber:
    def __float__(self):
        _libc().exit(0)


def returns_objects_that_exit_as_numbers(shape, rng):
    weights = np.empty(shape, dtype=object)
    weights[...] = _ExitsAsNumber()
    return weights


def returns_a_deep_list(shape, rng):
    deep = [1.0]
    for _ in range(3_000):
        deep = [deep]
    return deep


class _Exiting(type):
    def __call__(cls, *args, **kwargs):
        _libc().exit(0)


class is_made_by_a_metaclass_that_exits(metaclass=_Exiting):  # noqa: N801
    def __call__(self, shape, rng):
        return _he(shape, rng)


class _Mute(type):
    def __getattribute__(cls, name):
        raise KeyboardInterrupt


class has_a_metaclass_that_answers_nothing(metaclass=_Mute):  # noqa: N801
    def __call__(self, shape, rng):
        return _he(shape, rng)


# -- by threads, at exit, by forking


_later = []


def is_killed_later_by_a_thread(shape, rng):
    if not _later:
        _later.append(threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGKILL)))
        _later[0].start()
    time.sleep(0.1)
    return _he(shape, rng)


_lock = threading.Lock()


def waits_for_a_lock(shape, rng):
    _lock.acquire()
    return _he(shape, rng)


_registered = []


def hangs_at_exit(shape, rng):
    if not _registered:
        _registered.append(atexit.register(time.sleep, 3600))
        threading.Thread(target=time.sleep, args=(3600,)).start()
    return _he(shape, rng)


_ending = []


def exits_with_zero_at_exit(shape, rng):
    if not _ending:
        _ending.append(atexit.register(os.kill, os.getpid(), signal.SIGKILL))
        atexit.register(_libc()._exit, 0)
    return _he(shape, rng)


def lets_a_fork_go_on(shape, rng):
    if os.fork():
        _libc()._exit(0)
    return _he(shape, rng)


_daemons = []


def leaves_a_daemon(shape, rng):
    if not _daemons:
        _daemons.append(os.fork())
        if _daemons[-1] == 0:
            os.setsid()
            if os.fork():
                _libc()._exit(0)
            os.execvp("sleep", ["sleep", "600"])
        os.waitpid(_daemons[-1], 0)
    return _he(shape, rng)


def last_honest(shape, rng):
    return _he(shape, rng)
