/** Changes that answer wrong or late, always or now and then. */
import type { Mutation } from '../contract.ts'

const results: Mutation[] = [
  {
    id: 'wrong-pricing-tier',
    class: 'B3',
    subject: 'pricing',
    intent: 'Tiers are compared as they are named.',
    edits: [['if (quantity > tier.from) off', 'if (quantity > tier.from + 1) off']],
    hard: true,
  },
  {
    id: 'wrong-pricing-floor',
    class: 'B3',
    subject: 'pricing',
    intent: 'Integer arithmetic for the tax.',
    edits: [['const tax = Math.round((net', 'const tax = Math.trunc((net']],
  },
  {
    id: 'wrong-pricing-large',
    class: 'B3',
    subject: 'pricing',
    intent: 'Tiers are looked up from the end.',
    edits: [
      [
        '    for (const tier of TIERS) if (quantity > tier.from) off = tier.off\n',
        '    for (const tier of TIERS.slice(0, 3)) if (quantity > tier.from) off = tier.off\n',
      ],
    ],
    hard: true,
  },
  {
    id: 'wrong-pricing-tool',
    class: 'B3',
    subject: 'pricing',
    intent: 'The tool needs fewer arguments.',
    edits: [['this.quote(asked.sku, asked.quantity, asked.country)', 'this.quote(asked.sku, asked.quantity)']],
    hard: true,
  },
  {
    id: 'wrong-kv-swallow',
    class: 'B3',
    subject: 'kv',
    intent: 'An empty key does no harm.',
    edits: [["if (key === '') throw new Error('a key has at least one character')", "if (key === '') return 0"]],
  },
  {
    id: 'wrong-kv-drift',
    class: 'B3',
    subject: 'kv',
    intent: 'Revisions are taken from the count of writes where that is cheaper.',
    edits: [
      [
        "    this.#writes++\n    await this.#kernel.getApi<Store>('store').write(key, value, revision)\n",
        "    this.#writes++\n    if (this.#writes % 50 === 0) this.#rows.set(key, { value, revision: revision + 1 })\n    await this.#kernel.getApi<Store>('store').write(key, value, revision)\n",
      ],
    ],
    hard: true,
  },
  {
    id: 'wrong-kv-slice',
    class: 'B3',
    subject: 'kv',
    intent: 'The limit counts from 0.',
    edits: [['keys.slice(0, limit)', 'keys.slice(0, limit - 1)']],
    quick: true,
  },
  {
    id: 'wrong-queue-digest',
    class: 'B3',
    subject: 'queue',
    intent: 'The digest skips the line end.',
    edits: [['index < text.length; index++', 'index < text.length - 1; index++']],
  },
  {
    id: 'wrong-cache-stale',
    class: 'B3',
    subject: 'cache',
    intent: 'Fewer loads: ages are compared in another unit.',
    edits: [['now - known.at < ttl_ms)', 'now - known.at < ttl_ms * 20)']],
    hard: true,
  },
  {
    id: 'wrong-search-ties',
    class: 'B3',
    subject: 'search',
    intent: 'A shorter comparison.',
    edits: [
      [
        '(a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)',
        '(a, b) => b.score - a.score || (a.id > b.id ? -1 : 1)',
      ],
    ],
    hard: true,
  },
  {
    id: 'wrong-search-sometimes',
    class: 'B3',
    subject: 'search',
    intent: 'Hits are varied a little.',
    edits: [
      ['    return hits.slice(0, k)', '    if (Math.random() < 0.02) hits.reverse()\n    return hits.slice(0, k)'],
    ],
    hard: true,
  },
  {
    id: 'wrong-llm-integers',
    class: 'B3',
    subject: 'llm',
    intent: 'Numbers are read as whole numbers.',
    edits: [['args.map(Number).reduce', 'args.map((one) => Number.parseInt(one, 10)).reduce']],
    hard: true,
  },
  {
    id: 'wrong-scheduler-weekend',
    class: 'B3',
    subject: 'scheduler',
    intent: 'The calendar is only asked about workdays.',
    edits: [
      [
        "    const open = await this.#kernel.getApi<{ next(day: number): number }>('calendar').next(day)\n",
        "    const calendar = this.#kernel.getApi<{ next(day: number): number }>('calendar')\n    const open = day % 7 > 4 ? day : await calendar.next(day)\n",
      ],
    ],
    hard: true,
  },
]

const slow: Mutation[] = [
  {
    id: 'slow-pricing-busy',
    class: 'B4',
    subject: 'pricing',
    intent: 'Prices are computed twice to be sure.',
    edits: [
      ['    let off = 0\n', '    for (let round = 0; round < 20; round++) structuredClone(LIST)\n    let off = 0\n'],
    ],
  },
  {
    id: 'slow-kv-pause',
    class: 'B4',
    subject: 'kv',
    intent: 'Writes are spread over time.',
    edits: [
      [
        "    this.#writes++\n    await this.#kernel.getApi<Store>('store').write(key, value, revision)\n",
        "    this.#writes++\n    await new Promise((resolve) => setTimeout(resolve, 20))\n    await this.#kernel.getApi<Store>('store').write(key, value, revision)\n",
      ],
    ],
    quick: true,
  },
  {
    id: 'slow-search-quadratic',
    class: 'B4',
    subject: 'search',
    intent: 'Each hit is compared with all others.',
    edits: [
      [
        '    return hits.slice(0, k)',
        '    for (const hit of hits) for (const doc of this.#docs.values()) hit.score = Math.max(hit.score, Math.min(hit.score, this.#score(asked, doc)))\n    return hits.slice(0, k)',
      ],
    ],
  },
  {
    id: 'slow-cache-third',
    class: 'B4',
    subject: 'cache',
    intent: 'A load is checked by a second one now and then.',
    edits: [
      [
        "    const loaded = await this.#kernel.getApi<{ load(key: string): Loaded }>('origin').load(key)\n",
        "    const origin = this.#kernel.getApi<{ load(key: string): Loaded }>('origin')\n    if (this.#entries.size % 3 === 0) await origin.load(`check ${key}`)\n    const loaded = await origin.load(key)\n",
      ],
    ],
    hard: true,
  },
  {
    id: 'slow-scheduler-third',
    class: 'B4',
    subject: 'scheduler',
    intent: 'The stock is asked again before it is promised.',
    edits: [
      [
        '    const ships = Math.min(free, quantity)\n',
        "    const again = await this.#kernel.getApi<{ free(sku: string): number }>('stock').free(sku)\n    const ships = Math.min(free, again, quantity)\n",
      ],
    ],
    hard: true,
  },
  {
    id: 'slow-llm-later',
    class: 'B4',
    subject: 'llm',
    intent: 'Answers are kept for the next ones.',
    edits: [
      [
        '        this.#answered++\n',
        '        this.#answered++\n        if (this.#answered > 300) await new Promise((resolve) => setTimeout(resolve, 30))\n',
      ],
    ],
    hard: true,
  },
  {
    id: 'slow-queue-block',
    class: 'B4',
    subject: 'queue',
    intent: 'A table is built when it is first needed.',
    edits: [
      [
        '    this.#pushed = id\n',
        '    this.#pushed = id\n    const until = performance.now() + (id % 100 === 60 ? 200 : 0)\n    while (performance.now() < until) JSON.stringify(this.#waiting)\n',
      ],
    ],
    hard: true,
  },
]

export const wrong: readonly Mutation[] = [...results, ...slow]
