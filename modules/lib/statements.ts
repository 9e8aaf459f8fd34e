/**
 * Statements of a connection, each prepared once: preparing takes longer than most of them run. For who asks the same few
 * things again and again and reads each answer to its end, as the stores of the control plane do. Bounded; the oldest go.
 */
import type { Connection, Statement } from './sqlite.ts'

const KEPT_MAX = 100

export class Statements {
  private readonly connection: Pick<Connection, 'prepare'>
  private readonly kept = new Map<string, Statement>()

  constructor(connection: Pick<Connection, 'prepare'>) {
    this.connection = connection
  }

  /** Throws what SQLite throws. */
  of(sql: string): Statement {
    const known = this.kept.get(sql)
    if (known !== undefined) return known
    const statement = this.connection.prepare(sql)
    this.kept.set(sql, statement)
    const [oldest] = this.kept.keys()
    if (this.kept.size > KEPT_MAX && oldest !== undefined) this.kept.delete(oldest)
    return statement
  }
}
