/**
 * Files in the form `guest/link.ts` runs, joined to one script. Pure. Where each file begins is kept, so that a place in
 * the script leads back to a place in a file.
 */
import type { Transformed } from '../../loader/transform.ts'

export interface BundledFile {
  /** how it is called in a stack */
  readonly id: string
  /** specifier → id */
  readonly imports: Readonly<Record<string, string>>
  readonly kind: 'esm' | 'cjs'
  readonly code: string
  /** leads from the code to the source; undefined: the code is the source */
  readonly transformed?: Transformed
}

export interface Bundle {
  /** an array literal */
  readonly text: string
  /** 1-based first line of each file's code in the text, ascending */
  readonly starts: readonly { line: number; file: BundledFile }[]
}

const ESM_HEAD =
  'async function(__vite_ssr_import__,__vite_ssr_dynamic_import__,__vite_ssr_exports__,__vite_ssr_exportAll__,__vite_ssr_import_meta__){"use strict";'
const CJS_HEAD = 'function(exports,require,module,__filename,__dirname){'

export function joinFiles(files: readonly BundledFile[]): Bundle {
  const starts: { line: number; file: BundledFile }[] = []
  const parts: string[] = []
  let line = 2
  for (const file of files) {
    const { id, imports, kind, code } = file
    const head = kind === 'esm' ? ESM_HEAD : CJS_HEAD
    parts.push(`[${JSON.stringify(id)},${JSON.stringify(imports)},"${kind}",${head}\n${code}\n}],\n`)
    starts.push({ line, file })
    line += lineCount(code) + 2
  }
  return { text: `[${parts.join('')}]`, starts }
}

function lineCount(text: string): number {
  let count = 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}
