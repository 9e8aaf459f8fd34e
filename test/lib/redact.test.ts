/** What is a secret by its name, by its form, and because it is known to be one. */
import { expect, it } from 'vitest'
import { isSecretName, Redactor, withoutNamedSecrets } from '../../modules/lib/redact.ts'
import { secretsIn, secretValues } from '../../modules/lib/secret-values.ts'

it.each([
  'password',
  'db_password',
  'dbPassword',
  'API_KEY',
  'apiKey',
  'openai-api-key',
  'Authorization',
  'token',
  'accessToken',
  'client_secret',
  'cookie',
  'private_key',
  'passphrase',
  'AWS_SECRET_ACCESS_KEY',
])('%s names a secret', (name) => expect(isSecretName(name)).toBe(true))

it.each([
  'output_tokens',
  'inputTokens',
  'max_tokens',
  'tokens_max',
  'token_file',
  'passed',
  'secretary',
  'keys',
  'key',
  'passage',
  'author',
  'monkey',
])('%s does not', (name) => expect(isSecretName(name)).toBe(false))

it('known values go wherever they stand, also as JSON writes them, the longer before the shorter', () => {
  const redactor = new Redactor(['open sesame', 'open sesame "now"', 'abc'])
  expect(redactor.text('say open sesame twice: open sesame; abc')).toBe('say [redacted] twice: [redacted]; abc')
  expect(redactor.text(JSON.stringify({ word: 'open sesame "now"' }))).toBe('{"word":"[redacted]"}')
  expect(redactor.value({ a: ['open sesame'], password: 7, tokens: null })).toEqual({
    a: ['[redacted]'],
    password: '[redacted]',
    tokens: null,
  })
})

it.each([
  ['-password: old one', '-password: [redacted] one'],
  ['+  api_key: "a \\" b, c"  # mine', '+  api_key: [redacted]  # mine'],
  ["tokens: {viewer: {token: 'abc', scope: read}}", 'tokens: {viewer: {token: [redacted], scope: read}}'],
  ['tokens: {viewer: {token: abc}}', 'tokens: {viewer: {token: [redacted]}}'],
  ["token: 'secret:viewer'", "token: 'secret:viewer'"],
  ['api_key: ${MY_KEY}', 'api_key: ${MY_KEY}'],
  ['max_tokens: 5\nname: x', 'max_tokens: 5\nname: x'],
])('%j of a config is shown as %j', (text, shown) => expect(withoutNamedSecrets(text)).toBe(shown))

it('secrets of configs are what they take from secret places, or hold under a secret name', () => {
  const values = [
    { key: 'url', value: '${MM_URL}', origin: '' },
    { key: 'nested', value: { api_key: 'literal-key', name: 'plain' }, origin: '' },
  ]
  const found = secretValues([{ values }], '/nowhere', { MM_URL: 'https://x', DB_PASSWORD: 'pw-of-env', HOME: '/root' })
  expect([...found].sort()).toEqual(['https://x', 'literal-key', 'pw-of-env'])
  const written = { url: '${MM_URL}', key: 'secret:vault', headers: { authorization: 'Bearer ${MM_X}' } }
  const filled = { url: 'https://x', key: 'of the vault', headers: { authorization: 'Bearer abc' } }
  expect(secretsIn(written, filled)).toEqual(['of the vault', 'Bearer abc'])
})

it.each([
  ['use sk-live-Zq81kdJs02mQp55xN7cVb3 now', 'use [redacted] now'],
  ['Authorization: Bearer abc123def456', 'Authorization: Bearer [redacted]'],
  ['a basic understanding of things', 'a basic understanding of things'],
  ['postgres://ann:hunter22@host/db', 'postgres://ann:[redacted]@host/db'],
  ['http://host:8080/path?x=a@b', 'http://host:8080/path?x=a@b'],
  ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- rest', '[redacted] rest'],
  ['the risk-averse sk-only', 'the risk-averse sk-only'],
])('%s', (text, clean) => expect(new Redactor().text(text)).toBe(clean))

it('a long text without a secret is read in time that grows with its length only', () => {
  const redactor = new Redactor(['some-known-secret'])
  const parts = [
    'http://',
    'sk-',
    'sk-a',
    'eyJ',
    'eyJ-',
    'eyJa.',
    ':',
    '://',
    '://a:',
    'a@',
    'bearer ',
    '-----BEGIN ',
    'xoxb-',
  ]
  for (const part of parts) {
    const text = part.repeat(200_000 / part.length)
    const since = process.cpuUsage()
    redactor.text(text)
    expect(process.cpuUsage(since).user).toBeLessThan(2_000_000)
  }
})
