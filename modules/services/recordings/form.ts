/**
 * A value as it is kept: canonical JSON without secrets, prompts and signals, of bounded length. What has no such form is
 * not recorded: a replay could not give it back. Pure.
 */
import { canonicalJson } from '../../lib/canonical-json.ts'
import { isSecretName, MARK } from '../../lib/redact.ts'

const DEPTH_MAX = 64

/** Undefined for what cannot be kept. `undefined` itself is kept as nothing: an empty text. */
export function formOf(value: unknown, secret: readonly string[], charsMax: number): string | undefined {
  if (value === undefined) return ''
  try {
    const text = canonicalJson(plain(value, secret, 0))
    return text.length > charsMax ? undefined : text
  } catch {
    return undefined
  }
}

export const valueOf = (form: string): unknown => (form === '' ? undefined : (JSON.parse(form) as unknown))

function plain(value: unknown, secret: readonly string[], depth: number): unknown {
  if (value === undefined) return null
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEPTH_MAX) throw new TypeError('it is nested too deeply')
  if (Array.isArray(value)) return value.map((one) => plain(one, secret, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) throw new TypeError('it is no plain data')
  const members: Record<string, unknown> = {}
  for (const [name, one] of Object.entries(value)) {
    if (one === undefined || one instanceof AbortSignal) continue
    const hidden = one !== null && (secret.includes(name) || isSecretName(name) || isPrompt(name, one))
    members[name] = hidden ? MARK : plain(one, secret, depth + 1)
  }
  return members
}

/** What was said to a model, and by it. */
const isPrompt = (name: string, value: unknown): boolean =>
  (name === 'messages' && Array.isArray(value)) ||
  (typeof value === 'string' && (name === 'prompt' || name === 'system_prompt'))
