/** What others read to find the system: `runtime/http.json` and the token beside it. Both are for this user only. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { TOKEN_CHARS_MAX, TOKEN_CHARS_MIN } from '../../lib/tokens.ts'
import { writeWhole } from '../../lib/whole-file.ts'
import { writeFailure } from '../../lib/write-failure.ts'

export const urlOf = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`

/** The address goes with the socket. A newer listener on another port has written its own: that one stays. */
export function forgetAddress(file: string, url: string): void {
  try {
    const written = JSON.parse(readFileSync(file, 'utf8')) as { pid?: number; url?: string }
    if (written.pid === process.pid && written.url === url) rmSync(file, { force: true })
  } catch {
    // Nothing to remove.
  }
}

/** Made at the first start; 0600 always, also when somebody copied it with other rights. */
export function readToken(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat !== undefined) {
    const token = readFileSync(path, 'utf8').trim()
    if (token.length >= TOKEN_CHARS_MIN && token.length <= TOKEN_CHARS_MAX) {
      if ((stat.mode & 0o777) !== 0o600) closeToOthers(path)
      return token
    }
  }
  const token = randomBytes(32).toString('hex')
  writePrivate(path, `${token}\n`, 'runtime/token')
  return token
}

function closeToOthers(path: string): void {
  try {
    chmodSync(path, 0o600)
  } catch (thrown) {
    throw writeFailure(thrown, 'runtime/token')
  }
}

/** Whole or not at all, for this user only. Throws `disk_full`, `read_only` or `file_failed`. */
export function writePrivate(path: string, text: string, shown: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeWhole(path, text, { mode: 0o600 })
  } catch (thrown) {
    throw writeFailure(thrown, shown)
  }
}
