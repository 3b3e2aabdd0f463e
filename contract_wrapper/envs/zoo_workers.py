"""Copies of a PettingZoo game spread over worker processes: the same arrays in and out as `zoo_copies.Copies`.

Workers are started by `spawn`, so that they share nothing with this process, and end with it, with the object that
asked for them, or with the first thing that goes wrong between the processes. A game's own error is no such thing: it
is raised here as it was there.
"""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import signal
import time
import traceback
import weakref
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.envs.game_readings import Needs
from contract_wrapper.envs.zoo_copies import Copies, Played, Recipe, check_same
from contract_wrapper.envs.zoo_layout import ZooLayout
from contract_wrapper.errors import ContractsError, shown

SECONDS_TO_END = 2.0
"""How long a worker may take to close its games before it is terminated."""


class Workers:
    """B copies of a game in worker processes, with the methods of `Copies`.

    What copies give does not depend on the process that they are in: each has a seed of its own.
    """

    def __init__(self, recipe: Recipe, n_games: int, processes: int, layout: ZooLayout) -> None:
        """Start the processes, each with a part of the copies.

        layout: of the game, as read in this process.

        Raises:
            ContractsError: the functions of the recipe cannot be sent to other processes, a worker does not start, or
                it builds another game.
        """
        _check_can_be_sent(recipe)
        context = multiprocessing.get_context("spawn")
        sizes = [len(part) for part in np.array_split(np.arange(n_games), processes)]
        self._ends = np.cumsum(sizes)[:-1]
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []
        self._end = weakref.finalize(self, _end, self._processes, self._pipes)
        try:
            for size in sizes:
                here, there = context.Pipe()
                worker = context.Process(target=_serve, args=(there, recipe, size), daemon=True)
                self._pipes.append(here)
                worker.start()
                self._processes.append(worker)
                there.close()  # the worker's end: once it has ended, reading here ends, too
            for its in self._answers():
                check_same(layout, its)
        except BaseException:
            self._end()
            raise

    def reset(self, seeds: Sequence[int], needs: Needs) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """See `Copies.reset`."""
        parts = self._ask([("reset", (part.tolist(), needs)) for part in self._parts(np.array(seeds, np.uint64))])
        observations, present = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return observations, present

    def step(self, actions: NDArray[np.int64], last: bool) -> Played:
        """See `Copies.step`."""
        parts = self._ask([("step", (part, last)) for part in self._parts(actions)])
        return Played(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def masks(self) -> NDArray[np.bool_]:
        """See `Copies.masks`."""
        return np.concatenate(self._ask([("masks", ())] * len(self._pipes)))

    def visible(self) -> NDArray[np.bool_]:
        """See `Copies.visible`."""
        return np.concatenate(self._ask([("visible", ())] * len(self._pipes)))

    def close(self) -> None:
        """Close all copies and end the processes."""
        self._end()

    def _parts(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        return np.split(array, self._ends)

    def _ask(self, questions: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """Send a question to every worker and wait for all answers."""
        if not self._end.alive:
            raise ContractsError("the worker processes of these games have ended: build the games anew")
        try:
            for pipe, question in zip(self._pipes, questions, strict=True):
                pipe.send(question)
        except OSError:
            raise self._lost() from None
        except BaseException:
            self._end()
            raise
        return self._answers()

    def _answers(self) -> list[Any]:
        """Wait for an answer of every worker; of several errors, the first copy's is raised."""
        try:
            told = [pipe.recv() for pipe in self._pipes]
        except (EOFError, OSError):
            raise self._lost() from None
        except BaseException:  # an interrupt: answers that nobody read would be taken for those of the next question
            self._end()
            raise
        for fine, answer in told:
            if not fine:
                raise answer
        return [answer for _, answer in told]

    def _lost(self) -> ContractsError:
        """End what is left, and say what became of the worker that ended by itself."""
        for worker in self._processes:
            worker.join(0.2)
        codes = [worker.exitcode for worker in self._processes if worker.exitcode is not None]
        self._end()
        return ContractsError(
            f"a worker process of the games ended (exit code {codes[0] if codes else 'unknown'}): a script that uses "
            "processes needs the line if __name__ == '__main__' before what it does; or memory was short; "
            "processes=1 plays in this process"
        )


def _end(processes: list[BaseProcess], pipes: list[Connection]) -> None:
    """End worker processes: they are told to, and terminated if that takes too long."""
    for pipe in pipes:
        pipe.close()
    for stop in (None, BaseProcess.terminate, BaseProcess.kill):
        left = [worker for worker in processes if worker.exitcode is None]
        deadline = time.monotonic() + SECONDS_TO_END
        for worker in left:
            if stop is not None:
                stop(worker)
        for worker in left:
            worker.join(max(0.0, deadline - time.monotonic()))


def _serve(pipe: Connection, recipe: Recipe, n_games: int) -> None:
    """Play some of the copies as the pipe says, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the pipe
    copies = None
    try:
        try:
            copies = Copies(recipe, n_games)
            pipe.send((True, copies.layout))
        except Exception as error:
            pipe.send((False, _sendable(error)))
            return
        while True:
            name, arguments = pipe.recv()
            try:
                answer = True, getattr(copies, name)(*arguments)
            except Exception as error:
                answer = False, _sendable(error)
            pipe.send(answer)
    except (EOFError, OSError):
        return  # the parent has closed the pipe, or is gone
    finally:
        if copies is not None:
            copies.close()


def _sendable(error: Exception) -> Exception:
    """The error, or what is known of it if it cannot be sent; with where it happened in the worker as a note."""
    where = "".join(traceback.format_exception(error))
    try:
        pickle.dumps(error)
        copy.copy(error)  # as it is built anew over there: some errors take other arguments than they keep
    except Exception:
        error = ContractsError(f"a game failed in its worker process: {type(error).__name__}: {error}")
    error.add_note(f"in a worker process:\n{where}")
    return error


def _check_can_be_sent(recipe: Recipe) -> None:
    for name, function in (("make_env", recipe.make_env), ("visible", recipe.visible)):
        try:
            pickle.dumps(function)
        except Exception:  # each kind of object has an error of its own
            raise ContractsError(
                f"{name} is sent to worker processes, which {shown(function)} cannot be: define it with def at the top "
                "of a module, as functools.partial of such a function, or use processes=1"
            ) from None
