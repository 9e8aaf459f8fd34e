/** Changes after which callers find another contract than before: names, arguments, values, handed over state. */
import type { Mutation } from '../contract.ts'

export const contracts: readonly Mutation[] = [
  {
    id: 'contract-pricing-method',
    class: 'B8',
    subject: 'pricing',
    intent: 'Baskets are priced by quotes.',
    edits: [['  basket(lines: readonly', '  basketOf(lines: readonly']],
    quick: true,
  },
  {
    id: 'contract-pricing-aspect',
    class: 'B8',
    subject: 'pricing',
    intent: 'Tools are an afterthought.',
    edits: [["if (name !== 'tool') return undefined", "if (name !== 'tools') return undefined"]],
  },
  {
    id: 'contract-search-tool',
    class: 'B8',
    subject: 'search',
    intent: 'A clearer name for the tool.',
    edits: [['      find: tool({', '      search: tool({']],
  },
  {
    id: 'contract-scheduler-required',
    class: 'B8',
    subject: 'scheduler',
    intent: 'Plans have a priority.',
    edits: [
      ['quantity: z.number(), day: z.number() })', 'quantity: z.number(), day: z.number(), priority: z.number() })'],
    ],
  },
  {
    id: 'contract-llm-function',
    class: 'B8',
    subject: 'llm',
    intent: 'The answer can be asked for its text again.',
    edits: [
      [
        'Promise<{ text: string; steps: number; words: number }>',
        'Promise<{ text: () => string; steps: number; words: number }>',
      ],
      ['return { text: step.text, steps', 'return { text: () => step.text, steps'],
      [
        '    const { text } = await this.complete(prompt)\n    for (const word of text.split',
        '    const { text } = await this.complete(prompt)\n    for (const word of text().split',
      ],
    ],
  },
  {
    id: 'contract-kv-state',
    class: 'B8',
    subject: 'kv',
    intent: 'The state has a clearer shape.',
    edits: [
      ['interface State {\n  rows: [string, Row][]', 'interface State {\n  entries: [string, Row][]'],
      ['{ rows: [...this.#rows], writes', '{ entries: [...this.#rows], writes'],
      ['new Map(state.rows)', 'new Map(state.entries ?? [])'],
    ],
  },
  {
    id: 'contract-search-small',
    class: 'B8',
    subject: 'search',
    intent: 'What is taken over is bounded.',
    edits: [['new Map(state.docs.map(', 'new Map(state.docs.slice(0, 20).map(']],
    hard: true,
  },
  {
    id: 'contract-queue-results',
    class: 'B8',
    subject: 'queue',
    intent: 'Results are computed anew by each version.',
    edits: [['    this.#results = new Map(state.results)\n', '    this.#results = new Map(state.results.slice(-5))\n']],
    hard: true,
  },
  {
    id: 'contract-cache-argument',
    class: 'B8',
    subject: 'cache',
    intent: 'Readers say who they are.',
    edits: [
      [
        'async read(key: string, ttl_ms: number): Promise<Loaded & { hit: boolean }> {\n',
        "async read(key: string, ttl_ms: number, reader?: string): Promise<Loaded & { hit: boolean }> {\n    if (ttl_ms > 0 && reader === undefined) throw new Error('who reads?')\n",
      ],
      ['(await this.read(key, ttl_ms)).value', "(await this.read(key, ttl_ms, 'all')).value"],
    ],
  },
]
