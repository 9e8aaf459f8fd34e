/** Words of a question or a description, made comparable: small, singular, without filler. */

const FILLER = new Set(
  'a an the of is are was were be been it its this that these those what which who how why when where do does did can could will would should please me my mine i you your we our us to for from in on at by with and or if so as about there have has had get give tell let now any some one all just want need know see'.split(
    ' ',
  ),
)

const SAME: Record<string, string> = {
  display: 'show',
  print: 'show',
  describe: 'show',
  detail: 'show',
  restart: 'reload',
  refresh: 'reload',
  cat: 'read',
  open: 'read',
  content: 'read',
  find: 'search',
  grep: 'search',
  look: 'search',
  health: 'status',
  healthy: 'status',
  state: 'status',
  wrong: 'status',
  ok: 'status',
  row: 'query',
  select: 'query',
  sql: 'query',
  count: 'query',
  record: 'query',
  many: 'query',
  last: 'query',
  latest: 'query',
  directory: 'folder',
  dir: 'folder',
  running: 'service',
}

export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word.length > 1 && !FILLER.has(word))
    .map((word) =>
      word.length > 3 && word.endsWith('s') && !word.endsWith('ss') && !word.endsWith('us') ? word.slice(0, -1) : word,
    )
}

/** The words of a question, with what people say turned into what tools are called. */
export const askedWords = (question: string): string[] => wordsOf(question).map((word) => SAME[word] ?? word)
