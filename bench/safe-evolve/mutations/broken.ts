/** Changes that break at once or now and then: they do not load, throw, hang, or end badly. */
import type { Mutation } from '../contract.ts'

const load: Mutation[] = [
  {
    id: 'load-kv-syntax',
    class: 'B1',
    subject: 'kv',
    intent: 'Tidier reading of rows.',
    edits: [['  get(key: string): Row | null {', '  get(key: string: Row | null {']],
    quick: true,
  },
  {
    id: 'load-pricing-no-export',
    class: 'B1',
    subject: 'pricing',
    intent: 'The class is internal.',
    edits: [['export class Module {', 'class Module {']],
  },
  {
    id: 'load-cache-constructor',
    class: 'B1',
    subject: 'cache',
    intent: 'The origin is checked first.',
    edits: [
      [
        '    this.#kernel = kernel\n',
        "    this.#kernel = kernel\n    if (kernel.api !== '') throw new Error('no origin is configured')\n",
      ],
    ],
  },
  {
    id: 'load-search-import',
    class: 'B1',
    subject: 'search',
    intent: 'A library computes the cosine.',
    edits: [["import { z } from 'zod'\n", "import { z } from 'zod'\nimport './cosine.ts'\n"]],
  },
  {
    id: 'load-llm-await',
    class: 'B1',
    subject: 'llm',
    intent: 'The model is warmed up first.',
    edits: [['const STEPS_MAX = 4\n', 'const STEPS_MAX = 4\nawait new Promise(() => {})\n']],
  },
  {
    id: 'load-queue-loop',
    class: 'B1',
    subject: 'queue',
    intent: 'A table is computed in advance.',
    edits: [
      [
        'const RESULTS_MAX = 5_000\n',
        'const RESULTS_MAX = 5_000\nlet prime = 1\nwhile (prime > 0) prime = (prime % 1_000) + 1\n',
      ],
    ],
  },
  {
    id: 'load-limits-init',
    class: 'B1',
    subject: 'limits',
    intent: 'Buckets are prepared before the first call.',
    edits: [
      [
        '  allow(client: string)',
        '  async init(): Promise<void> {\n    await new Promise(() => {})\n  }\n\n  allow(client: string)',
      ],
    ],
  },
]

const throwing: Mutation[] = [
  {
    id: 'throws-pricing-always',
    class: 'B2',
    subject: 'pricing',
    intent: 'Quotes need a customer.',
    edits: [['    this.#served++\n', "    this.#served++\n    if (this.#served > 0) throw new Error('no customer')\n"]],
    quick: true,
  },
  {
    id: 'throws-pricing-twentieth',
    class: 'B2',
    subject: 'pricing',
    intent: 'Each twentieth quote is looked at.',
    edits: [
      ['    this.#served++\n', "    this.#served++\n    if (this.#served % 20 === 0) throw new Error('looked at')\n"],
    ],
  },
  {
    id: 'throws-pricing-large',
    class: 'B2',
    subject: 'pricing',
    intent: 'Large orders are checked.',
    edits: [
      ['    this.#served++\n', "    this.#served++\n    if (quantity > 2_000) throw new Error('ask for an offer')\n"],
    ],
    hard: true,
  },
  {
    id: 'throws-queue-run',
    class: 'B2',
    subject: 'queue',
    intent: 'The loop tells when it was busy.',
    edits: [
      [
        '      else this.#finish(job)\n',
        "      else this.#finish(job)\n      if (this.#done > 30) throw new Error('too busy')\n",
      ],
    ],
  },
  {
    id: 'throws-search-many',
    class: 'B2',
    subject: 'search',
    intent: 'Nobody reads more than a hundred hits.',
    edits: [['    if (k < 1) throw', "    if (k > 100) throw new RangeError('too many')\n    if (k < 1) throw"]],
    hard: true,
  },
  {
    id: 'throws-llm-negative',
    class: 'B2',
    subject: 'llm',
    intent: 'Numbers are read strictly.',
    edits: [
      [
        "      case 'add':\n",
        "      case 'add':\n        if (args.some((one) => !/^[0-9.]+$/.test(one))) throw new Error('not a number')\n",
      ],
    ],
    hard: true,
  },
  {
    id: 'throws-cache-timer',
    class: 'B2',
    subject: 'cache',
    intent: 'Old entries are swept later.',
    edits: [
      [
        '    const loaded = await',
        "    setTimeout(() => {\n      if (this.#entries.size > 3) throw new Error('sweep failed')\n    }, 20)\n    const loaded = await",
      ],
    ],
  },
  {
    id: 'throws-kv-floating',
    class: 'B2',
    subject: 'kv',
    intent: 'Writes are announced.',
    edits: [
      [
        "    this.#writes++\n    await this.#kernel.getApi<Store>('store').write(key, value, revision)\n",
        "    this.#writes++\n    if (this.#writes % 10 === 0) void Promise.reject(new Error('nobody listens'))\n    await this.#kernel.getApi<Store>('store').write(key, value, revision)\n",
      ],
    ],
  },
]

const hanging: Mutation[] = [
  {
    id: 'hang-kv-missing',
    class: 'B5',
    subject: 'kv',
    intent: 'A reader of a missing key waits for it.',
    edits: [
      [
        '  get(key: string): Row | null {\n    const row = this.#rows.get(key)\n',
        '  async get(key: string): Promise<Row | null> {\n    const row = this.#rows.get(key)\n    if (row === undefined) await new Promise(() => {})\n',
      ],
    ],
  },
  {
    id: 'hang-cache-fresh',
    class: 'B5',
    subject: 'cache',
    intent: 'Readers of one key share one load.',
    edits: [
      ['    const loaded = await', '    if (ttl_ms === 0) await new Promise(() => {})\n    const loaded = await'],
    ],
    hard: true,
  },
  {
    id: 'hang-pricing-large',
    class: 'B5',
    subject: 'pricing',
    intent: 'The discount of large orders is refined.',
    edits: [
      [
        '    let off = 0\n',
        '    let off = 0\n    for (let left = quantity; left > 3_000; left -= left - quantity) off = 0\n',
      ],
    ],
    hard: true,
  },
  {
    id: 'hang-queue-idle',
    class: 'B5',
    subject: 'queue',
    intent: 'Jobs begin without a pause.',
    edits: [
      [
        '      if (job === undefined) await this.#kernel.sleep(5, signal)\n      else this.#finish(job)\n',
        '      if (job !== undefined) this.#finish(job)\n      else void this.#kernel\n',
      ],
    ],
    quick: true,
  },
  {
    id: 'hang-scheduler-itself',
    class: 'B5',
    subject: 'scheduler',
    intent: 'Plans go through the public way, so that they are counted.',
    edits: [
      [
        '    const free = await',
        "    if (quantity > 10) return (await this.#kernel.getApi<Module>('scheduler').plan(sku, quantity, day)) as Plan\n    const free = await",
      ],
    ],
  },
]

const ending: Mutation[] = [
  {
    id: 'end-queue-shutdown-never',
    class: 'B7',
    subject: 'queue',
    intent: 'It ends when all is done.',
    edits: [['    this.#waiting = []\n', '    this.#waiting = []\n    await new Promise(() => {})\n']],
  },
  {
    id: 'end-kv-shutdown-busy',
    class: 'B7',
    subject: 'kv',
    intent: 'A busy store ends when its writes are through.',
    edits: [
      [
        '  shutdown(): void {\n',
        '  async shutdown(): Promise<void> {\n    if (this.#writes > 100) await new Promise(() => {})\n',
      ],
    ],
    hard: true,
  },
  {
    id: 'end-queue-signal',
    class: 'B7',
    subject: 'queue',
    intent: 'The loop goes on until it has nothing to do.',
    edits: [
      ['    while (!signal.aborted) {', '    void [signal, this.#kernel]\n    for (;;) {'],
      ['await this.#kernel.sleep(5, signal)', 'await new Promise((resolve) => setTimeout(resolve, 5))'],
    ],
  },
  {
    id: 'end-queue-run-exits',
    class: 'B7',
    subject: 'queue',
    intent: 'The loop rests when nothing waits.',
    edits: [
      [
        '      if (job === undefined) await this.#kernel.sleep(5, signal)\n',
        '      if (job === undefined && this.#done > 0) return\n      if (job === undefined) await this.#kernel.sleep(5, signal)\n',
      ],
    ],
  },
  {
    id: 'end-kv-shutdown-throws',
    class: 'B7',
    subject: 'kv',
    intent: 'Nothing is left behind.',
    edits: [['    this.#rows.clear()\n', "    this.#rows.clear()\n    throw new Error('rows were left')\n"]],
  },
  {
    id: 'end-cache-orphan',
    class: 'B7',
    subject: 'cache',
    intent: 'What is asked for often is loaded in advance.',
    edits: [
      [
        '    this.#kernel = kernel\n',
        "    this.#kernel = kernel\n    const beat = async (): Promise<void> => {\n      for (;;) {\n        await new Promise((resolve) => setTimeout(resolve, 20))\n        await kernel.getApi('origin')['load']?.('orphan')\n      }\n    }\n    void beat().catch(() => beat())\n",
      ],
    ],
    hard: true,
  },
]

export const broken: readonly Mutation[] = [...load, ...throwing, ...hanging, ...ending]
