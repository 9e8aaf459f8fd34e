/**
 * Takes secrets out of what is kept or sent: values under names that say they are secret, text that looks like a key,
 * and values known to be secrets. What is taken out leaves a mark, so that who reads knows. Pure.
 */

export const MARK = '[redacted]'

const SECRET_NAME =
  /^(?:.*[_-])?(?:authorization|cookie|credentials?|pass(?:word|phrase|wd)?|secrets?|api[_-]?keys?|apikeys?|access[_-]?keys?|private[_-]?keys?|tokens?|bearer)$/i
const CAMEL = /([a-z0-9])([A-Z])/g

/** Names of counts and limits: `output_tokens`, `max_tokens`. */
const COUNTS = /(?:input|output|cached|prompt|completion|total|max|context)[_-]?tokens(?:_max)?$/i

/** Every repetition is bounded: texts come from anywhere, and a match must not cost more than its length allows. */
const SHAPES = [
  /\b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]{1,20}[-_]){0,4}[A-Za-z0-9]{16,200}\b/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,255}\b/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,255}\b/g,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,200}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{30,100}/g,
  /\beyJ[A-Za-z0-9_-]{8,1000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,1000}/g,
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
]

/** What stands before the secret stays: `Bearer `, `://user:`. */
const AFTER = [
  /\b((?:bearer|basic)\s{1,5})(?=[A-Za-z._~+/-]{0,200}[0-9=])[A-Za-z0-9._~+/=-]{8,4000}/gi,
  /(:\/\/[^\s/:@]{0,100}:)[^\s/@]{3,200}(?=@)/g,
]

/** Shorter ones would take ordinary words out. */
const SECRET_CHARS_MIN = 6

/** Whether a value under this name is a secret whatever it holds. */
export const isSecretName = (name: string): boolean => {
  const spelled = name.replace(CAMEL, '$1_$2')
  return SECRET_NAME.test(spelled) && !COUNTS.test(spelled)
}

/** `name: value`, also within braces. */
const PAIR =
  /((["']?)([\w.-]{1,100})\2\s{0,20}:\s{1,20})(?![{[|>&*])("(?:[^"\\\n]|\\.){0,4000}"|'[^'\n]{0,4000}'|[^\s,}\]#]{1,4000})/g

/**
 * YAML without what stands under a secret name, whether it is still in use or not. What only says where a secret is
 * (`secret:NAME`, `${NAME}`) stays.
 */
export const withoutNamedSecrets = (yaml: string): string =>
  yaml.replace(PAIR, (whole, begin: string, _quote: string, name: string, value: string) =>
    isSecretName(name) && !/^["']?(?:secret:|\$\{)/.test(value) ? begin + MARK : whole,
  )

export class Redactor {
  private readonly known: readonly string[]
  private readonly names: ReadonlySet<string>

  /** `known`: values that are secrets; `names`: further names whose values are. */
  constructor(known: Iterable<string> = [], names: Iterable<string> = []) {
    const long = [...new Set(known)].filter((one) => one.length >= SECRET_CHARS_MIN)
    // As they stand in JSON too, and the longer first: one may hold another.
    const spellings = long.flatMap((one) => [one, JSON.stringify(one).slice(1, -1)])
    this.known = [...new Set(spellings)].sort((a, b) => b.length - a.length)
    this.names = new Set(names)
  }

  text(text: string): string {
    let clean = text
    for (const one of this.known) if (clean.includes(one)) clean = clean.replaceAll(one, MARK)
    for (const shape of SHAPES) clean = clean.replace(shape, MARK)
    for (const shape of AFTER) clean = clean.replace(shape, `$1${MARK}`)
    return clean
  }

  isSecret(name: string): boolean {
    return this.names.has(name) || isSecretName(name)
  }

  /** The same value with marks; a copy where something was taken out. Plain data only. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((one) => this.value(one))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, one]) => [
      this.text(key),
      this.isSecret(key) && one !== null ? MARK : this.value(one),
    ])
    return Object.fromEntries(entries) as unknown
  }
}
