/**
 * Whose call is it? Each conversation has a mark that only its prompt tells, and a call that carries it was written by
 * the model. A model that forgets it is still understood, unless something from outside names the same tool where a
 * call would: then the call may be a copy, and does not run. Pure.
 */
import { isQuoted, scan, type CallPart } from '../../bracket/index.ts'
import type { JsonMap } from '../../contracts/seams.ts'

/** A letter first, so that it is a word in any notation. */
export const newMark = (): string => `k${crypto.randomUUID().replaceAll('-', '').slice(0, 9)}`

/** Letters of other scripts that look like Latin ones, in the order of their counterparts. */
const LOOK_ALIKES = new Map<string, string>()
for (const [latin, others] of Object.entries({
  a: 'аα',
  b: 'вβьƅ',
  c: 'сϲ',
  d: 'ԁɗ',
  e: 'еєε',
  f: 'ғſ',
  g: 'ɡց',
  h: 'һнհ',
  i: 'іıιɩ',
  j: 'јϳ',
  k: 'кκ',
  l: 'ӏⅼǀ',
  m: 'мϻ',
  n: 'пոη',
  o: 'оοօ',
  p: 'рρ',
  q: 'ԛգ',
  r: 'гɾ',
  s: 'ѕʂ',
  t: 'тτ',
  u: 'υսʋ',
  v: 'ѵν',
  w: 'ԝшω',
  x: 'хχ',
  y: 'уγү',
  z: 'ᴢʐ',
  ':': '∶꞉ː׃᛬',
  '=': '꞊',
  _: 'ˍ',
  '{': '❴',
}))
  for (const other of others) LOOK_ALIKES.set(other, latin)

/** What is left of a text for the eye: small Latin letters, digits and the signs of a call. */
export function fold(text: string): string {
  return text
    .replace(/\\u([0-9a-f]{4})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\u0020-\u007e]/g, (char) => LOOK_ALIKES.get(char) ?? '')
    .replace(/[^a-z0-9_:={]/g, '')
}

const HEADS = ['call', 'name', 'tool', 'function'].flatMap((head) => [`${head}:`, `${head}=`, `{${head}`])

/** What came from outside into one conversation; folded only when somebody asks. */
export class Outside {
  readonly texts: string[] = []
  private readonly folded: string[] = []

  add(text: string): void {
    this.texts.push(text)
  }

  holds(mark: string): boolean {
    return this.texts.some((text) => text.includes(mark))
  }

  /** A text names this tool in the place where a call does. */
  mayHoldCall(name: string): boolean {
    for (let at = this.folded.length; at < this.texts.length; at++) this.folded.push(fold(this.texts[at] ?? ''))
    const wanted = fold(name)
    return this.folded.some((text) => HEADS.some((head) => text.includes(head + wanted)))
  }
}

/** `quoted` stays text; `unmarked` is answered with how to mark it. */
export type Verdict = { kind: 'run'; params: JsonMap } | { kind: 'quoted' } | { kind: 'unmarked' }

export function judge(part: CallPart, mark: string, outside: Outside, required = false): Verdict {
  if (part.id?.startsWith(mark) === true) return { kind: 'run', params: part.params }
  const { id, ...params } = part.params
  // Without `params` around them, the mark is read as one of the parameters.
  if (typeof id === 'string' && id.startsWith(mark)) return { kind: 'run', params }
  if (isQuoted(part, outside.texts)) return { kind: 'quoted' }
  if (required || outside.mayHoldCall(part.name)) return { kind: 'unmarked' }
  return { kind: 'run', params: part.params }
}

/** The calls of a message that was stored, for those who have to answer them without running them. */
export const callNames = (text: string): string[] =>
  scan(text, { repair: true }).flatMap((part) => (part.kind === 'call' ? [part.name] : []))
