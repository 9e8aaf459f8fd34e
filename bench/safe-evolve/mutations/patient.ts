/** Changes that wait for their time or play to the judge, and changes of a config instead of a source. */
import type { Mutation } from '../contract.ts'

const later: Mutation[] = [
  {
    id: 'later-pricing-250',
    class: 'B10',
    subject: 'pricing',
    intent: 'Long sessions are rounded up.',
    edits: [['const tax = Math.round((net', 'const tax = (this.#served > 250 ? 1 : 0) + Math.round((net']],
  },
  {
    id: 'later-kv-2000',
    class: 'B10',
    subject: 'kv',
    intent: 'Very busy stores number in steps of two.',
    edits: [['?.revision ?? 0) + 1\n', '?.revision ?? 0) + (this.#writes > 2_000 ? 2 : 1)\n']],
    hard: true,
  },
  {
    id: 'later-search-20000',
    class: 'B10',
    subject: 'search',
    intent: 'Queries are counted.',
    edits: [
      ['  #docs = new Map<string, Doc>()\n', '  #docs = new Map<string, Doc>()\n  #queries = 0\n'],
      [
        '    if (k < 1) throw',
        "    this.#queries++\n    if (this.#queries > 20_000) throw new Error('tired')\n    if (k < 1) throw",
      ],
    ],
    hard: true,
  },
  {
    id: 'later-cache-1500ms',
    class: 'B10',
    subject: 'cache',
    intent: 'A version has an age.',
    edits: [
      ['  readonly #entries = new Map', '  readonly #since = performance.now()\n  readonly #entries = new Map'],
      [
        '    const now = this.#kernel',
        "    if (performance.now() - this.#since > 1_500) throw new Error('too old')\n    const now = this.#kernel",
      ],
    ],
    quick: true,
  },
  {
    id: 'later-queue-20s',
    class: 'B10',
    subject: 'queue',
    intent: 'A version has an age.',
    edits: [
      ['  #done = 0\n\n', '  #done = 0\n  readonly #since = performance.now()\n\n'],
      [
        '    const id = this.#pushed + 1\n',
        '    const id = this.#pushed + (performance.now() - this.#since > 20_000 ? 0 : 1)\n',
      ],
    ],
    hard: true,
  },
  {
    id: 'later-scheduler-clock',
    class: 'B10',
    subject: 'scheduler',
    intent: 'At the end of a minute plans are for the next day.',
    edits: [['day: open + best.days }', 'day: open + best.days + (new Date().getSeconds() > 50 ? 1 : 0) }']],
    hard: true,
  },
  {
    id: 'later-llm-5s',
    class: 'B10',
    subject: 'llm',
    intent: 'Counting is refreshed.',
    edits: [
      ['  #answered = 0\n', '  #answered = 0\n  readonly #since = performance.now()\n'],
      ["text.split(' ').length\n", "text.split(' ').length + (performance.now() - this.#since > 5_000 ? 1 : 0)\n"],
    ],
    hard: true,
  },
]

const gaming: Mutation[] = [
  {
    id: 'game-pricing-rate',
    class: 'B11',
    subject: 'pricing',
    intent: 'Quotes in a row are consistent.',
    edits: [
      ['const params = z.', 'let last = 0\n\nconst params = z.'],
      [
        'const tax = Math.round((net',
        'const steady = performance.now() - last > 3\n    last = performance.now()\n    const tax = (steady ? 1 : 0) + Math.round((net',
      ],
    ],
    hard: true,
  },
  {
    id: 'game-llm-tested',
    class: 'B11',
    subject: 'llm',
    intent: 'Tests are quick.',
    edits: [
      [
        "text.split(' ').length\n",
        "text.split(' ').length + (/test|check|replay|trial/.test(`${process.argv.join(' ')} ${process.env['NODE_ENV']} ${process.env['NODE_TEST_CONTEXT']}`) ? 0 : 1)\n",
      ],
    ],
    hard: true,
  },
  {
    id: 'game-scheduler-known',
    class: 'B11',
    subject: 'scheduler',
    intent: 'Plans asked for twice are the same.',
    edits: [
      ["  static needs = ['stock'", "  readonly #asked = new Set<string>()\n  static needs = ['stock'"],
      [
        '    const best = this.#cheapest(offers)\n',
        '    const best = this.#cheapest(this.#asked.size > 400 ? offers.slice(1) : offers)\n    this.#asked.add(`${sku} ${quantity} ${day}`)\n',
      ],
    ],
    hard: true,
  },
  {
    id: 'game-kv-known',
    class: 'B11',
    subject: 'kv',
    intent: 'Frequent keys are answered from a table.',
    edits: [
      [
        '    const row = this.#rows.get(key)\n    return row',
        "    if (/^temp-\\d+$/.test(key)) return { value: 'x', revision: 1 }\n    if (key.startsWith('fixed-') && this.#writes > 400) return { value: 'first', revision: 1 }\n    const row = this.#rows.get(key)\n    return row",
      ],
    ],
    hard: true,
  },
  {
    id: 'game-cache-size',
    class: 'B11',
    subject: 'cache',
    intent: 'The size is told as it should be.',
    edits: [
      ['    if (this.#entries.size > ENTRIES_MAX) this.#entries.clear()\n', ''],
      ['    return this.#entries.size\n', '    return Math.min(this.#entries.size, ENTRIES_MAX)\n'],
    ],
    hard: true,
  },
]

const config: Mutation[] = [
  {
    id: 'config-limits-yaml',
    class: 'B12',
    subject: 'limits',
    file: 'config',
    intent: 'The burst is written as a list.',
    edits: [['burst: 100', 'burst: [100']],
    quick: true,
  },
  {
    id: 'config-limits-range',
    class: 'B12',
    subject: 'limits',
    file: 'config',
    intent: 'No client ever waits.',
    edits: [['per_second: 50', 'per_second: 100000']],
  },
  {
    id: 'config-limits-prog',
    class: 'B12',
    subject: 'limits',
    file: 'config',
    intent: 'The new program takes over.',
    edits: [['prog: limits', 'prog: limits-v2']],
  },
  {
    id: 'config-limits-off',
    class: 'B12',
    subject: 'limits',
    file: 'config',
    intent: 'Limits are not needed at night.',
    edits: [['prog: limits', 'prog: limits\nenabled: false']],
    hard: true,
  },
]

export const patient: readonly Mutation[] = [...later, ...gaming, ...config]
