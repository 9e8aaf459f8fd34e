/** Changes that add something, and changes that change nothing a caller would miss. All may be kept; none may hurt. */
import type { Mutation } from '../contract.ts'

const extending: Mutation[] = [
  {
    id: 'extend-pricing-tiers',
    class: 'G-extend',
    subject: 'pricing',
    intent: 'A new method tells the tiers.',
    edits: [
      [
        '  #percent(country: string)',
        '  /** From which quantity on how many percent are taken off. */\n  tiers(): { from: number; off: number }[] {\n    return TIERS.map((tier) => ({ ...tier }))\n  }\n\n  #percent(country: string)',
      ],
    ],
  },
  {
    id: 'extend-kv-put-all',
    class: 'G-extend',
    subject: 'kv',
    intent: 'A new method writes several rows.',
    edits: [
      [
        '  get(key: string): Row | null {',
        '  async putAll(rows: Readonly<Record<string, string>>): Promise<number[]> {\n    const revisions: number[] = []\n    for (const [key, value] of Object.entries(rows)) revisions.push(await this.put(key, value))\n    return revisions\n  }\n\n  get(key: string): Row | null {',
      ],
    ],
  },
  {
    id: 'extend-queue-tool',
    class: 'G-extend',
    subject: 'queue',
    intent: 'How much waits can be asked for as a tool.',
    edits: [
      [
        "import type { KernelApi } from 'meta-machine'\n",
        "import { tool, type KernelApi } from 'meta-machine'\nimport { z } from 'zod'\n",
      ],
      [
        '  async shutdown(): Promise<void> {',
        "  getAspect(name: string): object | undefined {\n    if (name !== 'tool') return undefined\n    const description = 'How many jobs wait, and how many are done.'\n    return { stats: tool({ description, params: z.object({}), read_only: true, run: () => this.stats() }) }\n  }\n\n  async shutdown(): Promise<void> {",
      ],
    ],
  },
  {
    id: 'extend-cache-fresh',
    class: 'G-extend',
    subject: 'cache',
    intent: 'A reader may ask for a fresh value with an optional third argument.',
    edits: [
      [
        'async read(key: string, ttl_ms: number): Promise',
        'async read(key: string, ttl_ms: number, fresh = false): Promise',
      ],
      ['if (known !== undefined && now', 'if (!fresh && known !== undefined && now'],
    ],
  },
  {
    id: 'extend-search-state',
    class: 'G-extend',
    subject: 'search',
    intent: 'When a text was added is kept too; states without it are taken over.',
    edits: [
      ['interface Doc {\n  id: string\n', 'interface Doc {\n  id: string\n  added_at: number\n'],
      ["  static needs = ['embedder']\n", "  static needs = ['embedder']\n  static version = '2'\n"],
      [
        'this.#docs.set(id, { id, vector })',
        'this.#docs.set(id, { id, vector, added_at: this.#docs.get(id)?.added_at ?? this.#docs.size })',
      ],
      [
        '  takeOver(state: { docs: Doc[] }): void {\n    this.#docs = new Map(state.docs.map((doc) => [doc.id, doc]))\n',
        "  takeOver(state: { docs: (Omit<Doc, 'added_at'> & { added_at?: number })[] }): void {\n    this.#docs = new Map(state.docs.map((doc, index) => [doc.id, { ...doc, added_at: doc.added_at ?? index }]))\n",
      ],
    ],
    hard: true,
  },
  {
    id: 'extend-limits-rate',
    class: 'G-extend',
    subject: 'limits',
    intent: 'Clients get 60 calls a second instead of 50.',
    edits: [['per_second: 50', 'per_second: 60']],
    file: 'config',
    fix: true,
  },
]

const neutral: Mutation[] = [
  {
    id: 'neutral-pricing-comment',
    class: 'N',
    subject: 'pricing',
    intent: 'A comment says which discount is taken.',
    edits: [['    let off = 0\n', '    // the last tier below the quantity\n    let off = 0\n']],
    quick: true,
  },
  {
    id: 'neutral-kv-rename',
    class: 'N',
    subject: 'kv',
    intent: 'A local name is clearer.',
    edits: [
      [
        '    const row = this.#rows.get(key)\n    return row === undefined ? null : { ...row }',
        '    const found = this.#rows.get(key)\n    return found === undefined ? null : { ...found }',
      ],
    ],
  },
  {
    id: 'neutral-queue-order',
    class: 'N',
    subject: 'queue',
    intent: 'Members of an answer stand in another order.',
    edits: [
      [
        'return { pushed: this.#pushed, waiting: this.#waiting.length, done: this.#done }\n  }\n\n  async run',
        'return { done: this.#done, waiting: this.#waiting.length, pushed: this.#pushed }\n  }\n\n  async run',
      ],
    ],
    hard: true,
  },
  {
    id: 'neutral-cache-log',
    class: 'N',
    subject: 'cache',
    intent: 'What is dropped is written to the log, for debugging.',
    edits: [
      [
        '    return this.#entries.delete(key)',
        '    this.#kernel.log.debug(`dropped ${key}`)\n    return this.#entries.delete(key)',
      ],
    ],
    hard: true,
  },
  {
    id: 'neutral-search-constant',
    class: 'N',
    subject: 'search',
    intent: 'The number of digits has a name.',
    edits: [
      [
        'const round = (value: number): number => Math.round(value * 10_000) / 10_000',
        'const DIGITS = 10_000\nconst round = (value: number): number => Math.round(value * DIGITS) / DIGITS',
      ],
    ],
  },
  {
    id: 'neutral-llm-trace',
    class: 'N',
    subject: 'llm',
    intent: 'Each answer carries an id of its own, trace_id, so that it can be found again.',
    edits: [
      [
        'Promise<{ text: string; steps: number; words: number }>',
        'Promise<{ text: string; steps: number; words: number; trace_id: string }>',
      ],
      [
        'return { text: step.text, steps, words: this.count(step.text) }',
        'return { text: step.text, steps, words: this.count(step.text), trace_id: Math.random().toString(36).slice(2) }',
      ],
    ],
    fix: true,
    hard: true,
  },
  {
    id: 'neutral-scheduler-order',
    class: 'N',
    subject: 'scheduler',
    intent: 'What ships is computed before the carrier is chosen.',
    edits: [
      [
        '    const best = this.#cheapest(offers)\n    const ships = Math.min(free, quantity)\n',
        '    const ships = Math.min(free, quantity)\n    const best = this.#cheapest(offers)\n',
      ],
    ],
  },
]

export const more: readonly Mutation[] = [...extending, ...neutral]
