/**
 * Code of this folder that runs elsewhere: the server in a child process (the bootstrap of an isolate: `flat-code.ts`). It
 * is read from where this file is (TypeScript, or what it was compiled to), transformed and joined to one text, once a
 * process; so neither place needs hooks for TypeScript or reads a file of ours.
 */
import { readFileSync } from 'node:fs'
import { dirname, extname, join, relative } from 'node:path'
import { transform } from '../../loader/transform.ts'
import { fromErrorData } from '../../lib/errors.ts'
import { joinFiles, type BundledFile } from './bundle.ts'

const HERE = import.meta.dirname
const ENDING = extname(import.meta.filename)

const texts = new Map<string, string>()

/** The local graph of `entry`, a name without its ending, as text of an async function's body: `main` is its exports. */
export function ownCode(entry: string, outside: string): string {
  let text = texts.get(entry)
  if (text === undefined) {
    text = compose(entry, outside)
    texts.set(entry, text)
  }
  return text
}

function compose(entry: string, outside: string): string {
  const main = join(HERE, `${entry}${ENDING}`)
  const files = new Map<string, BundledFile>()
  collect(main, files)
  const linker = new Map<string, BundledFile>()
  collect(join(HERE, `guest/link${ENDING}`), linker)
  return `const linkerExports = Object.create(null);
await ${joinFiles([...linker.values()]).text}[0][3](undefined, undefined, linkerExports);
const linker = new linkerExports.Linker({ outside: ${outside}, refuse: (name) => new Error("refused: " + name) });
linker.add(${joinFiles([...files.values()]).text});
const main = await linker.run(${JSON.stringify(idOf(main))});
`
}

/** Each isolate keeps a copy of its text. No file of ours has a string that goes over several lines. */
export const withoutSpace = (code: string): string =>
  code.replace(/^\s+/gm, '').replace(/^(?:\/\/.*|\/\*.*|\*\/.*|\* .*|\*)\n/gm, '')

const idOf = (path: string): string => relative(HERE, path)

function collect(path: string, files: Map<string, BundledFile>): void {
  const id = idOf(path)
  if (files.has(id)) return
  const result = transform(path, readFileSync(path, 'utf8'))
  if (!result.ok) throw fromErrorData(result.error)
  const { code, imports } = result.value
  const local = imports.filter((specifier) => specifier.startsWith('.'))
  const targets = Object.fromEntries(local.map((specifier) => [specifier, join(dirname(path), specifier)]))
  const ids = Object.entries(targets).map(([specifier, target]) => [specifier, idOf(target)] as const)
  files.set(id, { id, imports: Object.fromEntries(ids), kind: 'esm', code: withoutSpace(code) })
  for (const target of Object.values(targets)) collect(target, files)
}
