"""A recording from start to file: profiler, annotations, schedule, limits, and the trace on disk.

    with Collector(pipe, "runs/x"):
        pipe(prompt)

    with Collector(model, "runs/x", wait=1, warmup=1, active=3) as collector:
        for batch in batches:
            train(batch)
            collector.step()

Nothing that fails in here reaches the code in the block: it is logged, the collector leaves, and
the block goes on. What the block raises passes through, after what was recorded is written.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.profiler import ProfilerActivity, record_function

from genscope.collect import worker as workers
from genscope.collect import writer
from genscope.collect.annotations import Annotations
from genscope.collect.guard import MAX_EVENTS, MAX_SECONDS, Guard
from genscope.collect.outermost import OutermostCalls
from genscope.collect.recording import Recording, is_profiled, may_stop
from genscope.collect.schedule import Phase, Schedule

_LOG = logging.getLogger("genscope")


class Collector:
    """Records windows of the block it is used around, one trace a window.

    Without any call of `step()` the whole block is one window, unless `wait` asks for steps to
    pass first. With steps, the windows are those of the schedule; the last warm-up step before one
    is recorded as well and thrown away, which warms up the recording itself and tells how many
    events a step has. A window that the end of the block cuts short is written as it is.

    A file is `<output>/<worker>.<time>.pt.trace.json.gz`, as torch's own for TensorBoard. Only the
    thread that enters the block is recorded (and the threads of its backward passes). Where a
    profiler is running already, the collector leaves it in place and only annotates; a profiler
    that is started in the block ends the window.

    Args:
        model: A pipeline, a module, or None for whatever is called.
        output: Folder of the traces.
        components: Names and modules of the model's parts, where they are not found by themselves.
        wait: Steps at the start of a cycle that nothing is done with.
        warmup: Steps after that; see above.
        active: Steps of a window.
        repeat: How many cycles; 0 for as many as there are.
        record_shapes: Record the shapes of inputs; without them attention has fewer figures.
        profile_memory: Record allocations as well.
        with_stack: Record Python's stack as well; slow and large.
        max_events: Events, as estimated (see `genscope.collect.guard`), beyond which a window is
            ended early; None for no limit.
        max_seconds: The same for its time, in seconds.
        worker: Name in the file name, instead of `rank<n>`, or of host and process id.
        workload: A `genscope.schema.Workload`, or its fields.
        activities: What is recorded, as for `torch.profiler.profile`; None for all there is.
        gzip: Compress the file.

    Raises:
        ValueError: On construction, where the numbers make no schedule.
    """

    def __init__(
        self,
        model: object = None,
        output: str | os.PathLike[str] = "runs",
        *,
        components: Any = None,
        wait: int = 0,
        warmup: int = 1,
        active: int = 1,
        repeat: int = 1,
        record_shapes: bool = True,
        profile_memory: bool = False,
        with_stack: bool = False,
        max_events: int | None = MAX_EVENTS,
        max_seconds: float | None = MAX_SECONDS,
        worker: str | None = None,
        workload: Any = None,
        activities: Iterable[ProfilerActivity] | None = None,
        gzip: bool = True,
    ) -> None:
        self._schedule = Schedule(wait, warmup, active, repeat)
        self._output = os.path.abspath(os.fspath(output))
        self._options: Mapping[str, bool] = {
            "record_shapes": record_shapes,
            "profile_memory": profile_memory,
            "with_stack": with_stack,
        }
        self._activities = None if activities is None else list(activities)
        self._worker = worker
        self._gzip = gzip
        self._annotations = Annotations(model, components, workload)
        self._guard = Guard(max_seconds, max_events, self._limit)
        self._calls = OutermostCalls(after=self._called)
        self._sizes: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()
        self._written: list[str] = []
        self._reset()

    def _reset(self) -> None:
        self._step = 0
        self._has_stepped = False
        self._inner = 0
        self._is_open = False
        self._is_off = False
        self._is_busy = False
        self._is_trial = False
        self._recording: Recording | None = None
        self._step_range: record_function | None = None
        self._spent: int | None = None
        self._why_nothing = ""
        self._pid = os.getpid()
        self._thread = threading.get_ident()

    @property
    def written(self) -> tuple[str, ...]:
        """Paths of the traces that were written."""
        return tuple(self._written)

    @property
    def is_recording(self) -> bool:
        """Whether a window is being recorded."""
        return self._recording is not None

    @property
    def why_nothing(self) -> str:
        """Why no trace was written, in words; empty where nothing went wrong."""
        return self._why_nothing

    def __enter__(self) -> Collector:
        if self._is_open:
            _LOG.warning("this Collector is open already; the inner block adds nothing")
            self._inner += 1
            return self
        self._reset()
        self._is_open = True
        self._safely(self._enter)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        if not self._is_open:
            return
        if self._inner:
            self._inner -= 1
            return
        if not self._is_mine():
            if os.getpid() == self._pid:
                _LOG.warning("a Collector must be left on the thread that entered it")
                self._off()
            return
        self._is_open = False
        try:
            self._safely(lambda: self._leave(error))
        finally:
            self._off()

    def step(self) -> None:
        """Tell that a step of the loop has ended and the next begins."""
        if self._is_open and not self._is_off and self._is_mine():
            self._safely(self._advance)

    # What happens at the borders of steps ----------------------------------------------------

    def _enter(self) -> None:
        if is_profiled():
            _LOG.warning(
                "a profiler is running already: this Collector annotates what it records, "
                "and writes no trace of its own"
            )
            self._why_nothing = "another profiler was running already"
            self._is_off = True
            self._annotations.attach()
            return
        self._begin(self._schedule.phase(0))

    def _advance(self) -> None:
        self._end_step()
        ended, self._step = self._step, self._step + 1
        self._has_stepped = True
        if not ended and self._schedule.phase(0) is Phase.WARMUP:
            self._spent = None
        if self._recording is not None:
            if self._is_trial:
                self._discard()
            elif self._schedule.is_last(ended):
                self._finish()
        if self._recording is None:
            self._annotations.detach()
            self._begin(self._schedule.phase(self._step))
        else:
            self._begin_step()

    def _begin(self, phase: Phase) -> None:
        if phase is Phase.IDLE or self._schedule.cycle(self._step) == self._spent:
            return
        if is_profiled():
            self._why_nothing = "another profiler was running"
            self._annotations.attach()
            return
        recording = Recording(self._activities, dict(self._options), self._give_way)
        self._annotations.attach()
        recording.start()
        self._recording = recording
        self._is_trial = phase is Phase.WARMUP
        if not self._has_stepped:
            self._calls.install()
        self._guard.start()
        self._begin_step()

    def _begin_step(self) -> None:
        self._step_range = record_function(f"ProfilerStep#{self._step}")
        self._step_range.__enter__()  # type: ignore[no-untyped-call]

    def _end_step(self) -> None:
        opened, self._step_range = self._step_range, None
        if opened is not None:
            opened.__exit__(None, None, None)

    def _leave(self, error: BaseException | None) -> None:
        self._end_step()
        if self._recording is not None:
            interrupted = f"ended by {type(error).__name__}" if error is not None else ""
            if self._is_trial and self._has_stepped and error is None:
                self._discard()
            else:
                self._finish(interrupted)
        if not self._written and not self._why_nothing:
            self._why_nothing = (
                f"the block ended after {self._step} steps, before a window began"
                if self._has_stepped
                else "there were no calls of step(), and wait= asks for some to pass first"
            )
            _LOG.warning("nothing was recorded: %s", self._why_nothing)

    # Windows ----------------------------------------------------------------------------------

    def _discard(self) -> None:
        recording = self._stop()
        self._guard.learn(recording.events(), recording.seconds)

    def _stop(self) -> Recording:
        recording = self._recording
        assert recording is not None
        self._guard.end()
        self._calls.remove()
        recording.stop()
        self._recording = None
        return recording

    def _finish(self, note: str = "") -> None:
        """End the window and write it."""
        self._annotations.describe(f"The recording {note}." if note else "")
        try:
            recording = self._stop()
        finally:
            # Not before: a range that is open would be left without its end.
            if not note:
                self._annotations.detach()
        self._write(recording)

    def _write(self, recording: Recording) -> None:
        try:
            path, found = writer.write(
                recording.save, self._output, workers.name(self._worker), compress=self._gzip
            )
        except Exception as error:
            self._why_nothing = writer.why_not(self._output, error)
            _LOG.warning("%s", self._why_nothing)
            return
        self._guard.learn(found.events, recording.seconds)
        self._written.append(path)
        if found.dropped:
            _LOG.warning(
                "%s: %d events had names that no JSON can hold, and are missing",
                path,
                found.dropped,
            )

    # What ends a window early -------------------------------------------------------------------

    def _limit(self, reason: str) -> bool:
        """End the window because of a limit, if it can be ended here and now."""
        if self._recording is None or self._is_off:
            return True
        if self._is_busy or not self._is_mine() or not may_stop():
            return False
        self._safely(lambda: self._cut(f"was ended early, {reason}"))
        return True

    def _cut(self, note: str) -> None:
        self._end_step()
        if self._is_trial and self._has_stepped:
            # A warm-up that long: what it tells keeps the window itself small.
            self._discard()
            return
        self._spent = self._schedule.cycle(self._step)
        _LOG.warning("the recording %s", note)
        self._finish(note)

    def _give_way(self) -> None:
        """Let another profiler have the thread."""
        if self._recording is None or self._is_busy or threading.get_ident() != self._thread:
            return
        if self._is_mine():
            self._safely(lambda: self._cut("was ended early: another profiler was started"))

    def _called(self, module: nn.Module) -> None:
        """Count what a model's call adds to the recording, and end that if it is enough."""
        recording = self._recording
        if recording is None or self._is_busy:
            return
        try:
            size = self._sizes.get(module)
            if size is None:
                size = self._sizes[module] = sum(1 for _ in module.modules())
            learns = module.training and torch.is_grad_enabled()
            self._guard.called(size, self._is_on_device(), learns)
            reason = self._guard.reached(recording.seconds)
        except Exception as error:
            self._broken(error)
            return
        if reason is not None:
            self._limit(reason)

    def _is_on_device(self) -> bool:
        return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]

    # Safety -----------------------------------------------------------------------------------

    def _is_mine(self) -> bool:
        """Whether this is the process and thread that began; a forked child has no profiler."""
        if os.getpid() != self._pid:
            if not self._is_off:
                self._is_off = True
                self._step_range = None
                if self._recording is not None:
                    self._recording.abandon()
                    self._recording = None
                self._calls.remove()
                self._safely(self._annotations.detach)
            return False
        return threading.get_ident() == self._thread

    def _safely(self, work: Callable[[], object]) -> None:
        if self._is_busy:
            return
        self._is_busy = True
        try:
            work()
        except Exception as error:
            self._broken(error)
        finally:
            self._is_busy = False

    def _broken(self, error: Exception) -> None:
        """Leave, since something in here does not work."""
        self._why_nothing = f"the Collector failed: {type(error).__name__}: {error}"
        _LOG.warning("the Collector failed and leaves; the code goes on without it", exc_info=error)
        self._off()

    def _off(self) -> None:
        """Take everything of ours away, whatever state it is in."""
        self._is_off = True
        self._guard.end()
        recording, self._recording = self._recording, None
        for leave in (
            self._end_step,
            self._calls.remove,
            recording.stop if recording is not None else lambda: None,
            self._annotations.detach,
        ):
            try:
                leave()
            except Exception:
                _LOG.debug("leaving failed", exc_info=True)
