/** `URL` of an isolate, held against the one of Node. */
import { expect, it } from 'vitest'
import { URLSearchParams as OurParams } from '../../../modules/sandbox/engine/guest/query.ts'
import { URL as OurUrl } from '../../../modules/sandbox/engine/guest/url.ts'

const FIELDS = [
  'href',
  'origin',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const

type AnyUrl = new (text: string, base?: string) => Record<(typeof FIELDS)[number], string>

const told = (Url: AnyUrl, text: string, base: string | undefined): string => {
  try {
    const url = new Url(text, base)
    return FIELDS.map((field) => `${field} ${url[field]}`).join('\n')
  } catch {
    return 'invalid'
  }
}

const CASES = [
  'http://a.b/c',
  'HTTP://A.B:80/./c/../d?q=1#h',
  'https://u:p@h:8080/a b/%zz?x=y z',
  'mailto:a@b.c',
  'data:text/plain,hello world',
  'file:///a/b/../c',
  'file:c:/x',
  'http://[::1]:3000/',
  'http://1.2/',
  'http://0x7f.1/',
  'http://256.1.1.1/',
  'http://a b/',
  'http://',
  'a',
  '//x/y',
  'http:\\\\x\\y',
  'http://x/?a=\'b"',
  'foo://bar/baz/../q',
  'foo:/a/b',
  'foo:bar',
  'http://user@/x',
  'http://x:99999/',
  'http://x/#a b',
  'javascript:alert(1)',
  'blob:https://a.b/c',
  'http://ex%41mple.com/',
  'http://a..b/',
  'http://a.b./',
  'ws://x:80',
  'http://x/%2e%2E/y',
  'http://x/a/%2e',
  'http://[1:2:3:4:5:6:7:8]/',
  'http://[::ffff:1.2.3.4]/',
  'http://[1::2::3]/',
  'http:x',
  'http:/x',
  'https:///x',
  'foo://',
  'foo:///a',
  'http://x?y',
  'http://x#',
  'http://x/?',
  ' http://x/ ',
  'http://x/\ty',
  'http://x/日本?日=本#日',
  'http://x/`{}',
  'non-special://test:@h/x',
  'http://a@b@c/',
  'http://1e2/',
  'http://1.2.3.4.5/',
  'http://09/',
  'foo://a b/',
  'foo://H/',
  'http://x:/',
  'http://x:080/',
  'file://host/p',
  'file://localhost/p',
  'file:/C|/x/..',
  'file:///C:/../x',
  'http://.../',
  'about:blank',
  'http://x/;a=b,c',
  'http://x//y//z/..',
  'web+demo:/.//not-a-host/',
]
const RELATIVE = [
  '..',
  '.',
  '',
  '?z',
  '#z',
  '/abs',
  '//other/x',
  'x/y',
  '../../..',
  'http:rel',
  'https:rel',
  './a:b',
  '\\back',
  'C|/z',
  '/..',
]
const BASES = [undefined, 'http://b.c/d/e?f#g', 'file:///C:/x/y', 'foo://h/p/q', 'mailto:x', 'https://b.c/d/']
/** Node leaves the last slash out where the standard puts one. */
const OTHER_IN_NODE = new Set(['../../.. foo://h/p/q', '/.. foo://h/p/q'])

it.each(BASES)('reads URLs as Node does, from %s', (base) => {
  for (const text of [...CASES, ...RELATIVE]) {
    if (OTHER_IN_NODE.has(`${text} ${base}`)) continue
    expect(told(OurUrl, text, base), text).toBe(told(URL, text, base))
  }
})

const CHANGES: [url: string, field: (typeof FIELDS)[number], value: string][] = [
  ['http://a/b?c#d', 'host', 'x:8080'],
  ['http://a/b', 'port', '80'],
  ['http://a/b', 'port', 'x'],
  ['http://a/b', 'protocol', 'https'],
  ['http://a/b', 'protocol', 'foo'],
  ['http://a/b', 'pathname', 'x y/../z'],
  ['http://a/b', 'search', 'q=ü'],
  ['http://a/b?x', 'search', ''],
  ['http://a/b#x', 'hash', ''],
  ['http://a/b', 'hash', '#é'],
  ['http://a/b', 'username', 'u:x'],
  ['mailto:x', 'host', 'a'],
  ['http://a/b', 'hostname', 'b c'],
  ['http://a/b', 'hostname', ''],
]

it.each(CHANGES)('changes %s: %s = %j', (text, field, value) => {
  const [ours, theirs] = [new OurUrl(text), new URL(text)] as unknown as Record<string, string>[]
  for (const url of [ours, theirs]) if (url !== undefined) url[field] = value
  expect(ours?.['href']).toBe(theirs?.['href'])
})

it('a query is read, changed and written as in Node, also through its URL', () => {
  const steps = (url: URL): string[] => {
    const { searchParams: query } = url
    query.append('ä b', '1&2')
    query.set('a', 'é~*')
    query.delete('gone')
    query.sort()
    const seen = [
      url.href,
      query.toString(),
      String(query.get('none')),
      query.getAll('a').join(),
      String(query.has('b')),
    ]
    url.search = '?x=%ff+y&x=2&&z'
    return [...seen, [...query].join(';'), [...query.keys()].join()]
  }
  const text = 'https://a.b/?b=2&a=1&a=3&gone=1#h'
  expect(steps(new OurUrl(text) as unknown as URL)).toEqual(steps(new URL(text)))
  const inits = ['?a=1&b', { a: 'x y' }, [['q', '\ud800']]] as const
  for (const init of inits) {
    expect(new OurParams(init as never).toString()).toBe(new URLSearchParams(init as never).toString())
  }
})
