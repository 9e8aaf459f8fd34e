/** A package registry on 127.0.0.1 that serves what a test packed. npm cannot tell it from the real one. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Packed {
  manifest: Record<string, unknown> & { name: string; version: string }
  tarball: Buffer
  integrity: string
}

export class Registry {
  readonly requests: string[] = []
  readonly #packed = new Map<string, Packed>()
  readonly #scratch = mkdtempSync(join(tmpdir(), 'mm-registry-'))
  readonly #server: Server
  #gate = Promise.resolve()
  url = ''

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = decodeURIComponent((request.url ?? '').slice(1))
      this.requests.push(path)
      const file = this.#packed.get(path.replace(/\.tgz$/, ''))
      if (path.endsWith('.tgz') && file !== undefined) {
        void this.#gate.then(() => response.end(file.tarball))
        return
      }
      const packument = this.#packument(path)
      response.writeHead(packument === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(packument ?? { error: 'not found' }))
    })
  }

  static async start(): Promise<Registry> {
    const registry = new Registry()
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve))
    registry.url = `http://127.0.0.1:${(registry.#server.address() as AddressInfo).port}`
    return registry
  }

  /** Packs a folder, as `npm publish` would. */
  publish(folder: string): void {
    const inside = join(this.#scratch, 'package')
    rmSync(inside, { recursive: true, force: true })
    cpSync(folder, inside, { recursive: true, dereference: true, filter: (path) => !path.endsWith('node_modules') })
    const file = join(this.#scratch, 'package.tgz')
    const { status, stderr } = spawnSync('tar', ['-czf', file, '-C', this.#scratch, 'package'], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`tar ${folder}: ${stderr}`)
    const tarball = readFileSync(file)
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Packed['manifest']
    // What cannot be had without a network, and is not needed.
    delete manifest['optionalDependencies']
    delete manifest['devDependencies']
    this.#packed.set(`${manifest.name}@${manifest.version}`, { manifest, tarball, integrity })
  }

  /** Tarballs are held back until the function that is returned is called. */
  holdBack(): () => void {
    let open = (): void => undefined
    this.#gate = new Promise((resolve) => {
      open = resolve
    })
    return open
  }

  /** Resolves when this was asked for. */
  async asked(fits: (path: string) => boolean): Promise<void> {
    while (!this.requests.some(fits)) await once(this.#server, 'request')
  }

  /** From now on its tarball is not what was announced. */
  tamper(id: string, on: boolean): void {
    const packed = this.#packed.get(id)
    if (packed === undefined) throw new Error(`no ${id}`)
    const other = on ? Buffer.from('something else') : packed.tarball
    packed.integrity = `sha512-${createHash('sha512').update(other).digest('base64')}`
  }

  #packument(name: string): object | undefined {
    const all = [...this.#packed].filter(([, { manifest }]) => manifest.name === name)
    const last = all.at(-1)
    if (last === undefined) return undefined
    const versions = all.map(([id, { manifest, integrity }]) => [
      manifest.version,
      { ...manifest, dist: { tarball: `${this.url}/${encodeURIComponent(id)}.tgz`, integrity } },
    ])
    return { name, 'dist-tags': { latest: last[1].manifest.version }, versions: Object.fromEntries(versions) as object }
  }

  dispose(): void {
    this.#server.close()
    this.#server.closeAllConnections()
    rmSync(this.#scratch, { recursive: true, force: true })
  }
}
