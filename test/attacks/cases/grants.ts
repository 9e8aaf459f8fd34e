/** Attacks on grants: more than was granted, by names, patterns, aspects, events, prompts, files and URLs. */
import type { Attack } from '../attack.ts'

const api = (name: string): string =>
  `this.kernel.getApi(hidden(${name
    .split('')
    .map((one) => `'${one}'`)
    .join(', ')}))`
const DENY = 'grants: deny by default'
const PATTERN = 'patterns are compared with what will be done'

export const GRANTS: readonly Attack[] = [
  {
    id: 'grant-method',
    title: 'another method of a granted service',
    guard: 'grants name the method',
    grants: ['victim.echo'],
    body: `attack() { return ${api('victim')}.keep(1) }`,
    expect: { code: 'grant_denied' },
  },
  {
    id: 'grant-scan',
    title: 'a power that stands in its text and was not granted',
    guard: 'powers are compared before it goes live',
    body: "attack() { return this.kernel.getApi('database').query('SELECT 1') }",
    expect: { refused: 'power_not_granted' },
  },
  {
    id: 'grant-kernel',
    title: 'the service kernel',
    guard: DENY,
    body: `attack() { return ${api('kernel')}.status() }`,
    expect: { code: 'grant_denied' },
  },
  {
    id: 'grant-operator',
    title: 'what only an operator may, with all of kernel granted',
    guard: 'a guest is no operator',
    grants: ['kernel.*'],
    body: `attack() { return ${api('kernel')}.release('x') }`,
    expect: { code: 'operator_method' },
  },
  {
    id: 'grant-emit',
    title: 'an event in the name of another',
    guard: 'events are powers',
    grants: ['victim.whatHeard'],
    body: `attack() { this.kernel.events.emit(hidden('forged', '.order'), {}); return this.kernel.getApi('victim').whatHeard() }`,
    expect: { value: [] },
  },
  {
    id: 'grant-on',
    title: 'listening to all events',
    guard: 'events are powers',
    grants: ['victim.shout'],
    body: `heard = 0; async attack() { this.kernel.events.on('*', () => { this.heard++ }); await this.kernel.getApi('victim').shout() } howMuch() { return this.heard }`,
    calls: [['attack'], ['attack'], ['howMuch']],
    expect: { value: 0 },
  },
  {
    id: 'grant-prompt',
    title: 'a prompt outside of prompts/',
    guard: 'files are powers',
    body: "attack() { return this.kernel.prompt('runtime/token') }",
    expect: { code: ['grant_denied', 'prompt_missing', 'path_outside', 'sandbox_not_here'] },
  },
  {
    id: 'grant-file',
    title: 'a file outside of the granted folder, by ..',
    guard: PATTERN,
    grants: ['filesystem.read_file:data/**'],
    body: `attack() { return ${api('filesystem')}.read_file('data/../runtime/token') }`,
    expect: { code: 'grant_denied' },
  },
  {
    id: 'grant-file-dots',
    title: 'the same with odd dots and slashes',
    guard: PATTERN,
    grants: ['filesystem.read_file:data/**'],
    body: `async attack() {
      const out = []
      for (const path of ['data/./../configs/victim.yml', './data/../configs/victim.yml', 'data//../configs/victim.yml', '/etc/passwd', 'data\\\\..\\\\configs', 'DATA/x', 'data/../data/../configs/victim.yml', ['configs/victim.yml'], { toString: () => 'configs/victim.yml' }])
        try { await ${api('filesystem')}.read_file(path); out.push(String(path)) } catch (e) { if (e.code !== 'grant_denied' && e.code !== 'file_missing' && e.code !== 'sandbox_value') out.push(e.code) }
      return out
    }`,
    expect: { value: [] },
  },
  {
    id: 'grant-url',
    title: 'URLs that look like the granted host',
    guard: PATTERN,
    grants: ['fetch.get:api.example.com'],
    body: `async attack() {
      const out = []
      for (const url of ['http://api.example.com@127.0.0.1/', 'http://127.0.0.1/#api.example.com', 'http://127.0.0.1/api.example.com', 'http://api.example.com.evil.test/', '//127.0.0.1/', 'http:127.0.0.1', 'HTTP://127.0.0.1?api.example.com'])
        try { await ${api('fetch')}.get(url); out.push(url) } catch (e) { if (e.code !== 'grant_denied' && e.code !== 'fetch_refused' && e.code !== 'bad_arguments') out.push(url + ' ' + e.code) }
      return out
    }`,
    expect: { value: [] },
  },
  {
    id: 'grant-metadata',
    title: 'the address of the cloud, with every host granted',
    guard: 'fetch: private addresses',
    grants: ['fetch.get'],
    body: `attack() { return ${api('fetch')}.get('http://169.254.169.254/latest/meta-data/') }`,
    expect: { code: 'fetch_refused' },
  },
  {
    id: 'grant-detour',
    title: 'a call through a service that may do more',
    guard: 'a service calls by its own name only',
    grants: ['victim.echo'],
    body: `async attack() { try { return await ${api('victim')}.forward('database', 'query', 'SELECT 1') } catch (e) { return e.code } }`,
    expect: { value: 'grant_denied' },
  },
  {
    id: 'grant-options',
    title: 'options that are no options',
    guard: 'what a guest says is read by its form',
    grants: ['victim.echo'],
    body: `async attack() { return ${api('victim')}.with({ deadlineMs: 'x', trace: { a: 1 }, caller: 'kernel', detail: 'yes' }).echo(1) }`,
    expect: { value: 1 },
  },
  {
    id: 'grant-flood',
    title: 'ten thousand denials, one after the other',
    guard: 'denials are counted and logged once',
    body: `async attack() { let n = 0; for (let i = 0; i < 2_000; i++) try { await ${api('victim')}.echo(1) } catch { n++ } return n }`,
    sandbox: { cpu_ms: 2_000, wall_ms: 20_000, cpu_share: 1 },
    expect: { value: 2_000 },
  },
]
