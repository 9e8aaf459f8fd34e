/**
 * The dashboard's files, as `scripts/web.mjs` built them: open to everybody who reaches the server, for there is no
 * secret in them. The page itself is asked for again each time; what it names carries a hash in its name, and may be
 * kept for ever. Each file is read once and sent as it was compressed when it was built.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { coded } from '../../lib/errors.ts'

export interface WebFile {
  headers: Record<string, string | number>
  body: Buffer
}

const DIST = join(import.meta.dirname, '..', '..', '..', 'web', 'dist')

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Nothing but the server's own files and answers, no script or style inside the page, in no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const PLACE = /^\/(?:assets\/[\w-]+\.(?:js|css|svg)|favicon\.svg)$/

export const isWebPath = (path: string): boolean => path === '/' || PLACE.test(path)

export class WebFiles {
  readonly #folder: string
  readonly #known = new Map<string, { stamp: string; plain: Buffer; packed: Buffer | undefined }>()

  /** `folder`: where they lie; the package's own without it. */
  constructor(folder = DIST) {
    this.#folder = folder
  }

  /** Throws `not_found`, and `dashboard_missing` where none was built. */
  file(path: string, accepts: string): WebFile {
    const name = path === '/' ? 'index.html' : path.slice(1)
    const { plain, packed } = this.#read(name)
    const isPacked = packed !== undefined && /\bgzip\b/.test(accepts)
    const body = isPacked ? packed : plain
    const isNamedByHash = name.startsWith('assets/')
    return {
      body,
      headers: {
        'content-type': TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
        'content-length': body.length,
        'cache-control': isNamedByHash ? 'public, max-age=31536000, immutable' : 'no-cache',
        'content-security-policy': POLICY,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        vary: 'accept-encoding',
        ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
      },
    }
  }

  /** A new build is noticed by the page, whose name stays the same. */
  #read(name: string): { plain: Buffer; packed: Buffer | undefined } {
    const path = join(this.#folder, name)
    const about = statSync(path, { throwIfNoEntry: false })
    if (about === undefined) {
      if (name === 'index.html') throw coded('dashboard_missing')
      throw coded('not_found', { path: `/${name}` })
    }
    const stamp = `${about.mtimeMs} ${about.size}`
    const known = this.#known.get(name)
    if (known?.stamp === stamp) return known
    if (name === 'index.html') this.#known.clear()
    const isPacked = statSync(`${path}.gz`, { throwIfNoEntry: false }) !== undefined
    const read = { stamp, plain: readFileSync(path), packed: isPacked ? readFileSync(`${path}.gz`) : undefined }
    this.#known.set(name, read)
    return read
  }
}
