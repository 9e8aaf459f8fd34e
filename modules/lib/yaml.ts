/**
 * YAML text → plain values, within limits that are checked while it is read, so that no text can take long: every
 * config and meta file comes through here. Depth and signs are counted exactly on the parser's own stack and tokens,
 * which cost microseconds each, before anything recursive or quadratic sees them. What is wrong is a coded error with
 * file, line and column. Pure.
 */
import { Composer, isMap, isScalar, Lexer, LineCounter, Parser, type CST, type Document } from 'yaml'
import type { ErrorData } from '../contracts/errors.ts'
import type { Json } from '../contracts/seams.ts'
import { codedData, reasonOf } from './errors.ts'
import { checkNodes, tooDeep, type YamlProblem } from './yaml-nodes.ts'

export interface YamlLimits {
  bytes_max: number
  /** names, values, signs, spaces and line ends: what reading costs time for */
  tokens_max: number
}

export interface Place {
  line: number
  column: number
}

export type YamlText =
  | {
      ok: true
      /** null for an empty text */
      value: Json
      /** where a key stands, or its nearest parent that is there */
      placeOf(path: readonly (string | number)[]): Place
    }
  | { ok: false; error: ErrorData }

const DEPTH_MAX = 200
const COLLECTIONS = new Set(['block-map', 'block-seq', 'flow-collection'])

/** Refuses with `config_syntax`, `config_key` or `config_too_large`, each with its place. Never throws. */
export function readYaml(file: string, text: string, limits: YamlLimits): YamlText {
  const lines = new LineCounter()
  const refuse = ({ code, details, offset }: YamlProblem): YamlText => ({
    ok: false,
    error: codedData(code, details, { file, ...placeAt(lines, offset) }),
  })
  if (text.length > limits.bytes_max) {
    const reason = `it has ${text.length} bytes; the limit is ${limits.bytes_max}`
    return refuse({ code: 'config_too_large', details: { reason }, offset: 0 })
  }
  try {
    const { document, problem } = compose(text, lines, limits.tokens_max)
    const wrong = problem ?? checkNodes(document, { depth_max: DEPTH_MAX, ...limits })
    if (wrong !== undefined) return refuse(wrong)
    const value = document.toJS({ maxAliasCount: -1 }) as Json | undefined
    return { ok: true, value: value ?? null, placeOf: (path) => placeOfKey(document, lines, path) }
  } catch (thrown) {
    // The parser itself gave up.
    return refuse(syntax(reasonOf(thrown), 0))
  }
}

/** Where a key stands in a text that was read before: for errors found later. */
export function locate(text: string, path: readonly (string | number)[]): Place {
  return locator(text)(path)
}

/** The same for many keys: the text is read once, not for each of them. */
export function locator(text: string): (path: readonly (string | number)[]) => Place {
  const lines = new LineCounter()
  const { document } = compose(text, lines, Number.POSITIVE_INFINITY)
  return (path) => placeOfKey(document, lines, path)
}

type Composed = { document: Document; problem: YamlProblem | undefined }

function compose(text: string, lines: LineCounter, tokensMax: number): Composed {
  const { tokens, stopped } = parseTokens(text, lines, tokensMax)
  const composer = new Composer({ lineCounter: lines, prettyErrors: false, stringKeys: true, uniqueKeys: false })
  const [document, second] = withoutStacks(() => composeFirstTwo(composer, tokens, text.length))
  const [error] = document.errors
  const nul = text.indexOf('\0')
  const problems = [
    error && syntax(error.code === 'NON_STRING_KEY' ? 'a key must be text' : error.message, error.pos[0]),
    second && syntax('a second document begins here; a file holds one', second.range[0]),
    nul < 0 ? undefined : syntax('a NUL character is no text', nul),
  ].filter((one) => one !== undefined)
  const first = problems.sort((a, b) => a.offset - b.offset)[0]
  if (stopped === undefined) return { document, problem: first }
  // Where reading stopped things are not at their end: a mistake in the same line may be none.
  const isEarlier = first !== undefined && lines.linePos(first.offset).line < lines.linePos(stopped.offset).line
  return { document, problem: isEarlier ? first : stopped }
}

type Tokens = CST.Token[]

/** Stops where the text is too much for what comes next; what was read until then may hold an earlier mistake. */
function parseTokens(text: string, lines: LineCounter, tokensMax: number): { tokens: Tokens; stopped?: YamlProblem } {
  lines.addNewLine(0)
  const parser = new Parser(lines.addNewLine)
  const tokens: Tokens = []
  let count = 0
  let stopped: YamlProblem | undefined
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (++count > tokensMax) {
      const reason = `it has more than ${tokensMax} values, signs and spaces`
      stopped = { code: 'config_too_large', details: { reason }, offset: parser.offset - lexeme.length }
    } else if (parser.stack.length > DEPTH_MAX && depthOf(parser) > DEPTH_MAX) {
      stopped = tooDeep(DEPTH_MAX, parser.offset - lexeme.length)
    }
    if (stopped !== undefined) break
  }
  for (const token of parser.end()) tokens.push(token)
  return stopped === undefined ? { tokens } : { tokens, stopped }
}

const depthOf = (parser: Parser): number => parser.stack.filter(({ type }) => COLLECTIONS.has(type)).length

const syntax = (reason: string, offset: number): YamlProblem => ({ code: 'config_syntax', details: { reason }, offset })

function composeFirstTwo(composer: Composer, tokens: Tokens, end: number): [Document.Parsed, Document.Parsed?] {
  const documents: Document.Parsed[] = []
  for (const document of composer.compose(tokens, true, end)) if (documents.push(document) === 2) break
  return documents as [Document.Parsed, Document.Parsed?]
}

/** A text of thousands of mistakes makes thousands of errors, of which one is told: their stacks cost most of it. */
function withoutStacks<T>(work: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return work()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function placeOfKey(document: Document, lines: LineCounter, path: readonly (string | number)[]): Place {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    const key = isMap(parent)
      ? parent.items.find((pair) => isScalar(pair.key) && pair.key.value === last)?.key
      : undefined
    const node = isScalar(key) ? key : document.getIn(path.slice(0, length), true)
    const range = (node as { range?: [number, number, number] } | undefined)?.range
    if (range !== undefined && range !== null) return placeAt(lines, range[0])
  }
  return { line: 1, column: 1 }
}
