/**
 * Which paths the service may touch. A path is judged as it really is: the deepest part that exists is resolved
 * through all links and has to be inside the root; then protected places are refused, for reading or for writing.
 */
import { realpathSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { coded } from '../../lib/errors.ts'

/** Never read and never written: secrets, and what gives power over the system. */
const SECRET = [
  /^\.env/,
  /^\.git(\/|$)/,
  /^\.npmrc$/,
  /^runtime\/(secrets(\/|$)|token|http\.json|lock)/,
  /(^|\/)\.env[^/]*$/,
  /\.(pem|key)$/,
  /(^|\/)id_[a-z0-9]+$/,
]

/** Read but never written: the bootloader, the kernel, the gate, its tests, and what installs code. */
const GUARDED = [
  /^(run\.ts|package\.json|package-lock\.json|tsconfig\.json|\.ci(\/|$))/,
  /^(bin|cli|scripts|vendor|test|bench|dist|node_modules)(\/|$)/,
  /(^|\/)node_modules(\/|$)/,
  /^modules\/(kernel|loader|lib|contracts|bracket)(\/|$)/,
  /^modules\/control\/(policy|approvals|ledger|events)/,
  /^configs\/(meta[^/]*|(.*\/)?(policy|approvals|ledger|events)(-v[\d.]+)?\.ya?ml)$/,
  /^runtime(\/|$)/,
]

/** Where modules may write inside runtime/. */
const OPEN_RUNTIME = /^runtime\/files(\/|$)/

export interface SafePath {
  /** where it really is */
  absolute: string
  /** from the root, with `/`; empty for the root itself */
  shown: string
}

/** Throws `path_outside` or `path_protected`. */
export function safePath(root: string, path: string, use: 'read' | 'write'): SafePath {
  if (typeof path !== 'string' || path.includes('\0')) throw coded('bad_arguments', { reason: 'the path must be text' })
  const realRoot = realpathSync(root)
  const asked = resolve(realRoot, path)
  if (!isInside(realRoot, asked)) throw coded('path_outside', { path })
  const absolute = realpathOf(asked)
  if (!isInside(realRoot, absolute)) throw coded('path_outside', { path })
  const shown = relative(realRoot, absolute).split(sep).join('/')
  const written = relative(realRoot, asked).split(sep).join('/')
  for (const name of [shown, written]) {
    const low = name.toLowerCase()
    if (SECRET.some((one) => one.test(low))) throw coded('path_protected', { path })
    if (use === 'write' && !OPEN_RUNTIME.test(low) && GUARDED.some((one) => one.test(low)))
      throw coded('path_protected', { path })
  }
  return { absolute, shown }
}

/** Leaves out what would be refused, for lists and searches. */
export const isSecret = (shown: string): boolean => SECRET.some((one) => one.test(shown.toLowerCase()))

const isInside = (root: string, path: string): boolean => path === root || path.startsWith(root + sep)

/** The real path of something that need not exist yet. */
function realpathOf(path: string): string {
  const missing: string[] = []
  for (let at = path; ; at = dirname(at)) {
    try {
      return join(realpathSync(at), ...missing)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(at) === at)
        throw coded('path_outside', { path }, {}, error)
      missing.unshift(basename(at))
    }
  }
}
