/** The tools of the service `tools` itself: the rest of a large result, and what the prompt had no space for. */
import { z } from 'zod'
import type { ToolInfo } from '../../contracts/tool.ts'
import { tool } from '../../lib/tool.ts'
import type { Listed } from './catalogue.ts'
import type { Results } from './results.ts'

const FOUND_MAX = 20

export function ownTools(results: () => Results, listed: () => Promise<Listed>): object {
  return {
    continue: tool({
      description:
        'The next part of a result that was too large. `next_offset` null means that this was the last; all parts joined are the whole.',
      params: z.object({
        token: z.string().describe('from `more` of the result'),
        offset: z.number().int().nonnegative().describe('from `more`, then `next_offset` of each part'),
      }),
      read_only: true,
      run: ({ token, offset }) => results().next(token, offset),
    }),
    find: tool({
      description: 'Find tools by words of their name or description, with signature, description and JSON Schema.',
      params: z.object({ text: z.string().default('').describe('a name, or some words; empty: all') }),
      read_only: true,
      run: async ({ text }) => {
        const found = findTools((await listed()).tools, text)
        return { tools: found.slice(0, FOUND_MAX), total: found.length }
      },
    }),
  }
}

/** The more words they have, the earlier; a word of the name counts more. */
function findTools(tools: readonly ToolInfo[], text: string): object[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? []
  const score = ({ name, description }: ToolInfo): number =>
    words.reduce(
      (sum, word) => sum + (name.includes(word) ? 3 : 0) + (description.toLowerCase().includes(word) ? 1 : 0),
      name === text ? 100 : 0,
    )
  return tools
    .map((one) => ({ one, points: score(one) }))
    .filter(({ points }) => points > 0 || words.length === 0)
    .sort((a, b) => b.points - a.points)
    .map(({ one: { name, api, signature, description, schema } }) => ({ name, api, signature, description, schema }))
}
