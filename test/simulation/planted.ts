/**
 * Three mistakes a kernel must never have, put into a copy of its sources: what cannot find these finds nothing. Each
 * is the text that stands in the kernel and what stands in the copy; a text that has moved is an error of its own.
 */
import type { Mistake } from './kernel-copy.ts'

export const PLANTED: readonly Mistake[] = [
  {
    name: 'a dropped decrement of the open calls',
    file: 'modules/kernel/calls.ts',
    text: '        edge.open--\n',
    instead: '        if (edge.calls % 7 !== 0) edge.open--\n',
  },
  {
    name: 'a queue that is not flushed when a version goes on after all',
    file: 'modules/kernel/quiesce.ts',
    text: '  isolator.startBackground()\n  machine.calls.queue.flush(service)\n',
    instead: '  isolator.startBackground()\n',
  },
  {
    name: 'a switch before init() has ended',
    file: 'modules/kernel/generation.ts',
    text: "  if (typeof instance.init === 'function') await phase(machine, generation, 'init', limits.init_ms)\n",
    instead:
      "  if (typeof instance.init === 'function') phase(machine, generation, 'init', limits.init_ms).catch(() => undefined)\n",
  },
]
