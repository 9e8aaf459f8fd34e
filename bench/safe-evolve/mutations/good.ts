/** Changes that help: faster, or a declared fix of what is wrong. All are to be kept. */
import type { DeclaredChange, DeclaredCondition } from '../../../modules/contracts/proposals.ts'
import type { Mutation } from '../contract.ts'

const faster: Mutation[] = [
  {
    id: 'perf-pricing-no-copy',
    class: 'G-perf',
    faster: true,
    subject: 'pricing',
    intent: 'The price list is read, never changed: it need not be copied at each call.',
    edits: [
      ['    const list = structuredClone(LIST)\n    const article = list.find(', '    const article = LIST.find('],
    ],
    quick: true,
  },
  {
    id: 'perf-pricing-map',
    class: 'G-perf',
    faster: true,
    subject: 'pricing',
    intent: 'Articles are found by a map instead of by reading through a copy of the list.',
    edits: [
      ['const params = z.', 'const BY_SKU = new Map(LIST.map((one) => [one.sku, one]))\n\nconst params = z.'],
      [
        '    const list = structuredClone(LIST)\n    const article = list.find((one) => one.sku === sku)\n',
        '    const article = BY_SKU.get(sku)\n',
      ],
    ],
  },
  {
    id: 'perf-kv-list',
    class: 'G-perf',
    subject: 'kv',
    intent: 'Listing keys does not copy all values.',
    edits: [
      [
        '    const all = JSON.parse(JSON.stringify([...this.#rows.entries()])) as [string, Row][]\n    const keys = all.map(([key]) => key).filter((key) => key.startsWith(prefix))\n',
        '    const keys = [...this.#rows.keys()].filter((key) => key.startsWith(prefix))\n',
      ],
    ],
  },
  {
    id: 'perf-queue-push',
    class: 'G-perf',
    subject: 'queue',
    intent: 'A job is appended; the list of those that wait is not copied.',
    edits: [['this.#waiting = [...this.#waiting, { id, text }]', 'this.#waiting.push({ id, text })']],
  },
  {
    id: 'perf-search-no-clone',
    class: 'G-perf',
    faster: true,
    subject: 'search',
    intent: 'A vector is read only: no copy for each comparison.',
    edits: [
      [
        '    const copy = structuredClone(doc)\n    const length = norm(asked) * norm(copy.vector)',
        '    const length = norm(asked) * norm(doc.vector)',
      ],
      ['round(dot(asked, copy.vector) / length)', 'round(dot(asked, doc.vector) / length)'],
    ],
  },
  {
    id: 'perf-search-norms',
    class: 'G-perf',
    faster: true,
    subject: 'search',
    intent: 'The length of a vector is computed once and kept beside it.',
    edits: [
      [
        'const round = (value',
        'const lengths = new WeakMap<Doc, number>()\n\nfunction lengthOf(doc: Doc): number {\n  const known = lengths.get(doc)\n  if (known !== undefined) return known\n  const length = norm(doc.vector)\n  lengths.set(doc, length)\n  return length\n}\n\nconst round = (value',
      ],
      [
        '    const copy = structuredClone(doc)\n    const length = norm(asked) * norm(copy.vector)',
        '    const length = norm(asked) * lengthOf(doc)',
      ],
      ['round(dot(asked, copy.vector) / length)', 'round(dot(asked, doc.vector) / length)'],
    ],
  },
  {
    id: 'perf-scheduler-together',
    class: 'G-perf',
    faster: true,
    subject: 'scheduler',
    intent: 'The three services are asked at the same time.',
    edits: [
      [
        "    const free = await this.#kernel.getApi<{ free(sku: string): number }>('stock').free(sku)\n    const offers = await this.#kernel.getApi<{ offers(quantity: number): Carrier[] }>('carriers').offers(quantity)\n    const open = await this.#kernel.getApi<{ next(day: number): number }>('calendar').next(day)\n",
        "    const [free, offers, open] = await Promise.all([\n      this.#kernel.getApi<{ free(sku: string): number }>('stock').free(sku),\n      this.#kernel.getApi<{ offers(quantity: number): Carrier[] }>('carriers').offers(quantity),\n      this.#kernel.getApi<{ next(day: number): number }>('calendar').next(day),\n    ])\n",
      ],
    ],
    quick: true,
  },
  {
    id: 'perf-scheduler-all',
    class: 'G-perf',
    faster: true,
    subject: 'scheduler',
    intent: 'Plans that do not depend on each other are made side by side, and calendar and stock are asked together.',
    edits: [
      [
        '    const plans: Plan[] = []\n    for (const order of orders) plans.push(await this.plan(order.sku, order.quantity, order.day))\n    return plans\n',
        '    return Promise.all(orders.map((order) => this.plan(order.sku, order.quantity, order.day)))\n',
      ],
      [
        "    const free = await this.#kernel.getApi<{ free(sku: string): number }>('stock').free(sku)\n",
        "    const stock = this.#kernel.getApi<{ free(sku: string): number }>('stock').free(sku)\n",
      ],
      [
        "    const open = await this.#kernel.getApi<{ next(day: number): number }>('calendar').next(day)\n",
        "    const [free, open] = await Promise.all([\n      stock,\n      this.#kernel.getApi<{ next(day: number): number }>('calendar').next(day),\n    ])\n",
      ],
    ],
    hard: true,
  },
  {
    id: 'perf-cache-together',
    class: 'G-perf',
    subject: 'cache',
    intent: 'Several keys are read side by side, each of them once.',
    edits: [
      [
        '    const values: string[] = []\n    for (const key of keys) values.push((await this.read(key, ttl_ms)).value)\n    return values\n',
        '    const unique = [...new Set(keys)]\n    const read = await Promise.all(unique.map(async (key) => [key, (await this.read(key, ttl_ms)).value] as const))\n    const byKey = new Map(read)\n    return keys.map((key) => byKey.get(key) ?? "")\n',
      ],
    ],
    hard: true,
  },
  {
    id: 'perf-cache-known',
    class: 'G-perf',
    subject: 'cache',
    intent: 'Of several keys those that are known are not waited for.',
    edits: [
      [
        '    for (const key of keys) values.push((await this.read(key, ttl_ms)).value)\n',
        '    for (const key of keys) {\n      const known = this.#entries.get(key)\n      const isFresh = known !== undefined && ttl_ms >= 0 && this.#kernel.clock.now() - known.at < ttl_ms\n      values.push(isFresh ? known.value : (await this.read(key, ttl_ms)).value)\n    }\n',
      ],
    ],
  },
]

/** For each place an argument comes in at: method → where in its arguments. */
const at = (
  places: readonly (readonly [method: string, at: string])[],
  condition: Omit<DeclaredCondition, 'at'>,
  reason: string,
): DeclaredChange[] => places.map(([method, where]) => ({ method, when: [{ at: where, ...condition }], reason }))

/** A method, the tool of the same name, whose arguments are one object, and one that takes a list. */
const QUANTITIES = [
  ['quote', '1'],
  ['quote', '0.quantity'],
  ['basket', '0.*.quantity'],
] as const

const ORDERS = [
  ['plan', '1'],
  ['plan', '0.quantity'],
  ['planAll', '0.*.quantity'],
] as const

const COUNTRIES_KNOWN = ['DE', 'FR', 'CH', 'JP', 'US']

const fixes: Mutation[] = [
  {
    id: 'fix-pricing-tier',
    class: 'G-fix',
    subject: 'pricing',
    intent: 'A tier holds from its own quantity on: exactly 10, 100 and 500 pieces get their discount.',
    edits: [['if (quantity > tier.from) off', 'if (quantity >= tier.from) off']],
    fix: true,
    changes: [10, 100, 500].flatMap((value) => at(QUANTITIES, { is: 'equal', value }, 'its own tier holds')),
    hard: true,
  },
  {
    id: 'fix-pricing-country',
    class: 'G-fix',
    subject: 'pricing',
    intent: 'A country without a tax rate is an error, not a country without taxes.',
    edits: [
      [
        '    return TAX_PERCENT[country] ?? 0\n',
        '    const percent = TAX_PERCENT[country]\n    if (percent === undefined) throw new Error(`no tax rate for ${country}`)\n    return percent\n',
      ],
    ],
    fix: true,
    changes: [
      ['quote', '2'],
      ['quote', '0.country'],
      ['basket', '1'],
    ].map(([method = '', where = '']) => ({
      method,
      when: COUNTRIES_KNOWN.map((value) => ({ at: where, is: 'unequal' as const, value })),
      reason: 'no tax rate is an error',
    })),
    hard: true,
  },
  {
    id: 'fix-kv-limit',
    class: 'G-fix',
    subject: 'kv',
    intent: 'list with a limit of 0 gives no keys instead of all.',
    edits: [['return limit === 0 ? keys : keys.slice(0, limit)', 'return keys.slice(0, limit)']],
    fix: true,
    changes: at([['list', '1']], { is: 'equal', value: 0 }, 'a limit of 0 gives none'),
    hard: true,
  },
  {
    id: 'fix-queue-unknown',
    class: 'G-fix',
    subject: 'queue',
    intent: 'A number below 1 was never given to a job: its state is unknown, not waiting.',
    edits: [["state: id <= this.#pushed ? 'waiting'", "state: id >= 1 && id <= this.#pushed ? 'waiting'"]],
    fix: true,
    changes: at([['result', '0']], { is: 'below', value: 1 }, 'such a number was never given'),
    hard: true,
  },
  {
    id: 'fix-search-empty',
    class: 'G-fix',
    subject: 'search',
    intent: 'A query without a word is like nothing: it finds nothing, instead of everything with a score of 0.',
    edits: [
      ['    const hits = [...this.#docs', '    if (norm(asked) === 0) return []\n    const hits = [...this.#docs'],
    ],
    fix: true,
    changes: ['0', '0.query'].flatMap((where) =>
      at([['find', where]], { is: 'lacks', value: 'a-zA-Z' }, 'no word is like nothing'),
    ),
    hard: true,
  },
  {
    id: 'fix-llm-count',
    class: 'G-fix',
    subject: 'llm',
    intent: 'Two spaces between words are no word.',
    edits: [
      [
        "    return text === '' ? 0 : text.split(' ').length\n",
        "    return text.split(/\\s+/).filter((word) => word !== '').length\n",
      ],
    ],
    fix: true,
    changes: [
      ...at([['count', '0']], { is: 'contains', value: '  ' }, 'two spaces are no word'),
      ...at([['count', '0']], { is: 'begins', value: ' ' }, 'a space before the first word is none'),
      ...at([['count', '0']], { is: 'ends', value: ' ' }, 'a space after the last word is none'),
      ...at([['count', '0']], { is: 'has', value: '\t\n' }, 'tabs and line ends part words too'),
      ...at([['complete', '0']], { is: 'contains', value: '  ' }, 'the words of an answer are counted likewise'),
    ],
    hard: true,
  },
  {
    id: 'fix-scheduler-tie',
    class: 'G-fix',
    subject: 'scheduler',
    intent: 'Of carriers that ask the same, the faster one is taken, as the comment says.',
    edits: [['(a, b) => a.cents - b.cents)', '(a, b) => a.cents - b.cents || a.days - b.days)']],
    fix: true,
    changes: at(ORDERS, { is: 'below', value: 6 }, 'up to five pieces two carriers ask the same'),
    hard: true,
    quick: true,
  },
]

export const good: readonly Mutation[] = [...faster, ...fixes]
