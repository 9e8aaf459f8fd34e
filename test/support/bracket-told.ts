/** All that a scanner tells of a message, in a form in which two tellings can be compared. */
import { Scanner, type Part, type ScanListener } from '../../modules/bracket/index.ts'

export type Told = ['part', Part] | ['text', string] | ['head', string, string] | ['piece' | 'value', string, unknown]

/** All that is told of a message; pieces of one text or string put together. */
export function tell(chunks: readonly string[], repair: boolean): Told[] {
  const told: Told[] = []
  const listener: ScanListener = {
    part: (part) => told.push(['part', part]),
    text: (piece) => {
      const last = told.at(-1)
      if (last?.[0] === 'text') last[1] += piece
      else told.push(['text', piece])
    },
    head: (kind, name) => told.push(['head', kind, name]),
    piece: (path, piece) => {
      const last = told.at(-1)
      const where = path.join('/')
      if (last?.[0] === 'piece' && last[1] === where) last[2] = String(last[2]) + piece
      else told.push(['piece', where, piece])
    },
    value: (path, value) => told.push(['value', path.join('/'), structuredClone(value)]),
  }
  const scanner = new Scanner(listener, { repair })
  for (const chunk of chunks) scanner.push(chunk)
  scanner.end()
  return told
}

/** The first way to cut the message in two that tells something else than the whole; undefined when there is none. */
export function splits(message: string, repair: boolean): { message: string; cut: number } | undefined {
  const whole = JSON.stringify(tell([message], repair))
  for (let cut = 1; cut < message.length; cut++) {
    const told = JSON.stringify(tell([message.slice(0, cut), message.slice(cut)], repair))
    if (told !== whole) return { message, cut }
  }
  return undefined
}
