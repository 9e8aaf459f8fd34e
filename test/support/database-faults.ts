/**
 * SQLite that fails: each call to the native package is counted, in this whole process, and those that are to fail throw
 * what SQLite throws. Failing begins, commits and rollbacks are among them: the package makes them by statements of its own.
 */
import { nativePackage } from '../../modules/lib/native.ts'

interface SqliteError extends Error {
  code: string
}
interface Driver {
  new (file: string): { prepare(sql: string): object; close(): void }
  SqliteError: new (message: string, code: string) => SqliteError
}
type Methods = Record<string, (...args: unknown[]) => unknown>

export interface DatabaseFaults {
  /** calls since `failAt` */
  readonly calls: number
  /** The N-th call from now on fails, and all after it when `on`; 0: none. */
  failAt(failing: number, code: string, on: boolean): void
  /** No call fails any more; how many there were is kept. */
  lift(): void
  restore(): void
}

const CONNECTION = ['prepare', 'pragma', 'transaction', 'close']
const STATEMENT = ['run', 'iterate', 'get', 'all']

export async function databaseFaults(): Promise<DatabaseFaults> {
  const { default: Database } = (await import(nativePackage('better-sqlite3'))) as { default: Driver }
  const connection = new Database(':memory:')
  const statement = Object.getPrototypeOf(connection.prepare('SELECT 1')) as Methods
  connection.close()
  let calls = 0
  let fails = (_call: number): boolean => false
  let code = ''
  const restores = [
    ...CONNECTION.map((name) => ({ of: Database.prototype as unknown as Methods, name })),
    ...STATEMENT.map((name) => ({ of: statement, name })),
  ].map(({ of, name }) => {
    const plain = of[name] as (...args: unknown[]) => unknown
    of[name] = function failing(this: unknown, ...args: unknown[]) {
      if (fails(++calls)) throw new Database.SqliteError(`${name} fails, as it was to`, code)
      return plain.apply(this, args)
    }
    return () => void (of[name] = plain)
  })
  return {
    get calls() {
      return calls
    },
    failAt: (failing, with_, on) => {
      calls = 0
      code = with_
      fails = (call) => call === failing || (on && failing > 0 && call > failing)
    },
    lift: () => void (fails = () => false),
    restore: () => {
      for (const restore of restores) restore()
    },
  }
}
