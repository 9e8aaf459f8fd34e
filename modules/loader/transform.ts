/**
 * TypeScript or JavaScript source → code for the evaluator, with the imports it found and the two source maps that
 * lead back to the source. Pure. Two steps of one pinned compiler: types away, then imports and exports turned into
 * calls. The second step is never given raw TypeScript: an exported enum makes it abort the process.
 */
import { moduleRunnerTransformSync, transformSync } from 'oxc-transform'
import type { ErrorData } from '../contracts/errors.ts'
import { coded, toErrorData } from '../lib/errors.ts'
import { NESTING_MAX, nestingOf } from '../lib/nesting.ts'
import { SCOPE_NAMES } from './owned.ts'

/** A source map as plain data, without the sources it repeats. */
export interface RawMap {
  readonly mappings: string
  readonly names: readonly string[]
}

export interface Transformed {
  readonly code: string
  /** outermost first: code → intermediate, intermediate → source */
  readonly maps: readonly RawMap[]
  readonly imports: readonly string[]
  /** literal `import('…')`; computed ones are resolved when they run */
  readonly dynamic_imports: readonly string[]
  /** mentions a name that is bound to an owned version: only then is one made */
  readonly owned: boolean
}

/** Changes when equal sources may give other code: with the compiler, and with what this file does around it. */
export const TRANSFORM_VERSION = 'oxc-transform 0.145.0, 2'

const languageOf = (file: string): 'json' | 'ts' | 'js' =>
  file.endsWith('.json') ? 'json' : /\.[cm]?ts$/.test(file) ? 'ts' : 'js'

/** Equal keys give equal code: of a file's name, only its language matters. */
export const codeKey = (file: string, hash: string): string => `${TRANSFORM_VERSION}, ${languageOf(file)} ${hash}`

/** As texts for a cache. */
export const codeTexts = ({ code, imports, dynamic_imports, owned, maps }: Transformed): string[] => [
  code,
  JSON.stringify([imports, dynamic_imports, owned]),
  JSON.stringify(maps),
]

/** From the bytes of those texts. */
export function codeFromBytes([code, imports, maps]: readonly Buffer[]): Transformed {
  const [found, dynamic, owned] = JSON.parse(String(imports)) as [string[], string[], boolean]
  let read: RawMap[] | undefined
  return {
    /** Asked for once, to be compiled: it is not kept as a text beside the bytes. */
    get code() {
      return String(code)
    },
    imports: found,
    dynamic_imports: dynamic,
    owned,
    /** Read when a stack is: that is almost never. */
    get maps() {
      read ??= JSON.parse(String(maps)) as RawMap[]
      return read
    },
  }
}

/** `eval` can ask for any of them. The compiler has written out escapes in names. */
const OWNED_NAME = new RegExp(`\\b(?:${SCOPE_NAMES.join('|')}|eval)\\b`)

export type TransformResult = { ok: true; value: Transformed } | { ok: false; error: ErrorData }

// Only what ends with a line feed is a line here: `^` would also begin one within a comment.
const FIRST_OTHER_LINE = /(?<![^\n])(?!import |["']use |\/\/|\/\*)/
const MIXED_IMPORT = /(?<![^\n])import ([\w$]+), \* as ([\w$]+) from ((["']).+\4)(.*);(?![^\n])/g

/**
 * `import a, * as b from 'c'` loses the binding `a` in the second step (oxc-transform 0.145 and 0.158). The first
 * step prints one import a line, so the leading run of imports can be split safely; later ones keep the defect,
 * and then fail loudly at run time, because rewriting there could change the text of a template string.
 */
function splitMixedImports(code: string): string {
  const rest = FIRST_OTHER_LINE.exec(code)?.index ?? code.length
  return code.slice(0, rest).replace(MIXED_IMPORT, 'import $1 from $3$5; import * as $2 from $3$5;') + code.slice(rest)
}

/** The labels of an error count bytes of UTF-8, not characters. */
function placeAt(source: string, byteOffset: number): { line: number; column: number } {
  const before = Buffer.from(source, 'utf8').subarray(0, byteOffset).toString('utf8')
  const lines = before.split('\n')
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
}

function refuse(file: string, source: string, message: string, offset: number | undefined): TransformResult {
  const place = offset === undefined ? {} : placeAt(source, offset)
  return { ok: false, error: toErrorData(coded('source_syntax', { reason: message }, { file, ...place })) }
}

export function transform(file: string, source: string): TransformResult {
  const lang = languageOf(file)
  if (lang === 'json') return transformJson(file, source)
  if (nestingOf(source) > NESTING_MAX)
    return { ok: false, error: toErrorData(coded('source_unsupported', { reason: 'it nests too deeply' }, { file })) }
  const options = { sourcemap: true, sourceType: 'module', target: 'es2022', lang } as const
  const first = transformSync(file, source, options)
  const error = first.errors[0]
  if (error !== undefined) return refuse(file, source, error.message, error.labels[0]?.start)
  const second = moduleRunnerTransformSync(file, splitMixedImports(first.code), { sourcemap: true })
  const runnerError = second.errors[0]
  if (runnerError !== undefined) return refuse(file, source, runnerError.message, undefined)
  const maps = [second.map, first.map].flatMap((map) =>
    map === undefined ? [] : [{ mappings: map.mappings, names: map.names }],
  )
  return {
    ok: true,
    value: {
      code: second.code,
      maps,
      imports: second.deps,
      dynamic_imports: second.dynamicDeps,
      owned: OWNED_NAME.test(second.code),
    },
  }
}

function transformJson(file: string, source: string): TransformResult {
  try {
    JSON.parse(source)
  } catch (error) {
    const offset = /position (\d+)/.exec((error as Error).message)?.[1]
    return refuse(file, source, (error as Error).message, offset === undefined ? undefined : Number(offset))
  }
  // The text is JSON, checked above; JSON is a subset of JavaScript expressions, but __proto__ must stay a key.
  const code = `const value = JSON.parse(${JSON.stringify(source)});
Object.defineProperty(__vite_ssr_exports__, "default", { enumerable: true, get() { return value } });`
  return { ok: true, value: { code, maps: [], imports: [], dynamic_imports: [], owned: false } }
}
