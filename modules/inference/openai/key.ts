/**
 * The key of a provider. It is read here and given to the client; everything that leaves this module as text passes
 * `redact` first, since providers echo keys in their errors.
 */
import type { Config } from './config.ts'

const DEFAULT_VARIABLE = 'OPENAI_API_KEY'

/** The variable a config wants its key from; undefined where none is needed. */
export function keyVariable(config: Config): string | undefined {
  return config.api_key_env ?? (isHere(config) ? undefined : DEFAULT_VARIABLE)
}

/** A server on this machine usually wants no key, but the client insists on some. */
export function readKey(config: Config): string | undefined {
  const variable = keyVariable(config)
  const found = config.api_key ?? (variable === undefined ? undefined : process.env[variable])
  return found?.trim() || (isHere(config) ? 'local' : undefined)
}

/** Whatever is found on this machine by itself is never given the key of a provider elsewhere. */
const isHere = ({ local_ports, base_url }: Config): boolean => local_ports !== undefined || isLoopback(base_url)

const isLoopback = (url: string): boolean => /^https?:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:|\/|$)/.test(url)

const MARK = '[key]'
const KEY_CHARS_MIN = 8

/** Takes the key out of a text, and whatever else looks like one. */
export function redact(text: string, key: string | undefined): string {
  const known = key !== undefined && key.length >= KEY_CHARS_MIN ? text.replaceAll(key, MARK) : text
  return known.replace(/\b(bearer\s+)[\w.~+/=*-]{8,}/gi, `$1${MARK}`).replace(/\bsk-[\w*-]{8,}/g, MARK)
}
