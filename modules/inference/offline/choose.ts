/**
 * Which tool fits a question: words in common, rare words counting more and words of the name most. A tool that
 * changes something is only chosen when the question says so in a word of its name.
 */
import type { ListedTool } from './catalogue.ts'
import { askedWords, wordsOf } from './words.ts'

const NAME_WEIGHT = 3
const SCORE_MIN = 2
const CHANGING = new Set([
  'reload',
  'write',
  'delete',
  'remove',
  'create',
  'set',
  'update',
  'stop',
  'start',
  'add',
  'swap',
  'rollback',
  'undo',
  'remember',
  'forget',
])

export interface Choice {
  tool: ListedTool
  score: number
}

/** Best first. */
export function rankTools(question: string, tools: readonly ListedTool[]): Choice[] {
  const words = askedWords(question.replace(/"[^"]*"|`[^`]*`/g, ' '))
  const asked = new Set(words)
  const texts = tools.map((tool) => ({
    tool,
    name: new Set(wordsOf(tool.name)),
    about: new Set(wordsOf(tool.description)),
  }))
  const rarity = (word: string): number => {
    const holders = texts.filter(({ name, about }) => name.has(word) || about.has(word)).length
    return Math.log(1 + tools.length / Math.max(1, holders))
  }
  return texts
    .filter(({ name }) => [...name].every((word) => !CHANGING.has(word) || asked.has(word)))
    .map(({ tool, name, about }) => {
      let score = 0
      for (const word of words) {
        if (name.has(word)) score += NAME_WEIGHT * rarity(word)
        else if (about.has(word)) score += rarity(word)
      }
      // A literal statement or path is a stronger sign than any word.
      if (/\bselect\b[\s\S]+\bfrom\b/i.test(question) && tool.params.some((param) => param.name === 'sql')) score += 20
      if (
        /"[^"\s][^"]*\.\w{1,5}"/.test(question) &&
        tool.params.some((param) => param.name === 'path' && param.required)
      )
        score += 10
      return { tool, score }
    })
    .filter((choice) => choice.score >= SCORE_MIN)
    .sort((a, b) => b.score - a.score || a.tool.name.length - b.tool.name.length)
}
