/** `mm dashboard` and the line of `mm up`: where the page is, with the token only for who asks for it. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { mm, startProcess, type RunningSystem } from '../support/process.ts'
import { createRoot, type TestRoot } from '../support/root.ts'

let root: TestRoot
let system: RunningSystem
beforeAll(async () => {
  root = createRoot({ 'configs/http.yml': 'prog: services/http\nport: 0\n' })
  system = await startProcess(root)
})
afterAll(async () => {
  await system.stop()
  root.dispose()
})

it('it prints the address with the token behind #, where no server sees it', async () => {
  const { code, stdout } = await mm(root.path, 'dashboard')
  expect([code, stdout.split('\n')[0]]).toEqual([0, `${system.url}/#token=${system.token}`])
  const json = await mm(root.path, '--json', 'dashboard')
  expect(JSON.parse(json.stdout)).toEqual({ url: `${system.url}/#token=${system.token}` })
})

it('mm up says how to open it, and keeps the token out of what it logs', () => {
  const all = system.output.join('\n')
  expect(all).toContain('`mm dashboard` opens it')
  expect(all).not.toContain(system.token)
})

it('without a system it says that none is reachable', async () => {
  const empty = createRoot()
  const { code, stderr } = await mm(empty.path, 'dashboard')
  empty.dispose()
  expect([code, stderr]).toEqual([3, expect.stringContaining('mm up')])
})

it('the page and what it names are served to everybody, under a policy that lets nothing else in', async () => {
  const page = await fetch(system.url)
  const text = await page.text()
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(page.headers.get('content-security-policy')).toMatch(
    /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/,
  )
  const named = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path)
  expect(named.length).toBeGreaterThan(2)
  for (const path of named) {
    const file = await fetch(system.url + path)
    expect([path, file.status, file.headers.get('content-encoding')]).toEqual([path, 200, 'gzip'])
    const lasts = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    expect(file.headers.get('cache-control')).toBe(lasts)
    expect(text + (await file.text())).not.toContain(readFileSync(root.path + '/runtime/token', 'utf8').trim())
  }
  expect([...text.matchAll(/<script(?![^>]*src=)|style=|\son\w+=/g)]).toEqual([])
  expect((await fetch(`${system.url}/assets/none.js`)).status).toBe(404)
  expect((await fetch(`${system.url}/`, { method: 'HEAD' })).headers.get('content-length')).toBe(
    page.headers.get('content-length'),
  )
})
