/**
 * Conversations in the database, through its service. What a turn does is written before it goes on, so that whatever
 * ends the process leaves each conversation whole up to its last message. Times come from the kernel's clock.
 */
import type { Handle, KernelApi } from '../../contracts/module.ts'
import type { ConversationInfo, DatabaseApi, SqlParams, SqlRow, Usage } from '../../contracts/services.ts'
import type { Config } from './config.ts'
import { newMark } from './mark.ts'
import { addUsage, type Conversation, type MessageKind, type NewMessage, type StoredMessage } from './messages.ts'
import { migrate } from './tables.ts'
import { surplus } from './trim.ts'

interface Statement {
  sql: string
  params: SqlParams
}

const DAY_MS = 86_400_000
const LISTED_MAX = 500
const TITLE_CHARS = 120

export class Store {
  private readonly db: Handle<DatabaseApi>
  private readonly agent: string
  private readonly now: () => number
  private readonly limits: Config

  constructor(kernel: KernelApi, limits: Config) {
    this.db = kernel.getApi<DatabaseApi>('database')
    this.agent = kernel.api
    this.now = () => kernel.clock.now()
    this.limits = limits
  }

  migrate(): Promise<void> {
    return migrate(this.db)
  }

  /** All of one conversation; an empty one when it is not there. */
  async load(id: string): Promise<Conversation> {
    const [row] = await this.db.query(
      'SELECT mark, provider, usage FROM assistant_conversations WHERE agent = ? AND id = ?',
      [this.agent, id],
    )
    if (row === undefined) return { id, mark: newMark(), provider: '', usage: null, messages: [], isNew: true }
    const messages = await this.readAll(id)
    return {
      id,
      mark: textOf(row, 'mark'),
      provider: textOf(row, 'provider'),
      usage: usageOf(row),
      messages,
      isNew: false,
    }
  }

  /** The database returns a limited number of rows at once, whatever its limit is. */
  private async readAll(id: string): Promise<StoredMessage[]> {
    const messages: StoredMessage[] = []
    for (;;) {
      const rows = await this.db.query(
        `SELECT seq, kind, provider, content FROM assistant_messages
         WHERE agent = ? AND conversation_id = ? AND seq > ? ORDER BY seq`,
        [this.agent, id, messages.at(-1)?.seq ?? 0],
      )
      if (rows.length === 0) return messages
      for (const row of rows) messages.push(messageOf(row))
    }
  }

  /** Writes what was said, and what it cost, in one step; `more` belongs to it. */
  async append(
    conversation: Conversation,
    added: readonly NewMessage[],
    { usage = null, more = [] }: { usage?: Usage | null; more?: readonly Statement[] } = {},
  ): Promise<void> {
    const { id } = conversation
    conversation.usage = addUsage(conversation.usage, usage)
    let seq = conversation.messages.at(-1)?.seq ?? 0
    const stored = added.map((one) => ({ ...one, seq: ++seq }))
    await this.db.transaction([
      this.touch(conversation),
      ...stored.map(({ seq: at, kind, provider, content }) => ({
        sql: 'INSERT INTO assistant_messages (agent, conversation_id, seq, kind, provider, content) VALUES (?, ?, ?, ?, ?, ?)',
        params: [this.agent, id, at, kind, provider, content],
      })),
      ...more,
    ])
    conversation.messages.push(...stored)
    conversation.isNew = false
  }

  private touch({ id, mark, provider, usage }: Conversation): Statement {
    const now = this.now()
    return {
      sql: `INSERT INTO assistant_conversations (agent, id, mark, provider, usage, created_at, updated_at)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent, id)
        DO UPDATE SET mark = excluded.mark, provider = excluded.provider, usage = excluded.usage, updated_at = excluded.updated_at`,
      params: [this.agent, id, mark, provider, usage === null ? null : JSON.stringify(usage), now, now],
    }
  }

  /** Takes back a message nobody has answered. */
  async takeBack(conversation: Conversation): Promise<void> {
    const last = conversation.messages.pop()
    const { agent } = this
    await this.db.transaction([
      {
        sql: 'DELETE FROM assistant_messages WHERE agent = ? AND conversation_id = ? AND seq = ?',
        params: [agent, conversation.id, last?.seq ?? 0],
      },
      {
        sql: `DELETE FROM assistant_conversations WHERE agent = ? AND id = ? AND NOT EXISTS
          (SELECT 1 FROM assistant_messages WHERE agent = ? AND conversation_id = ?)`,
        params: [agent, conversation.id, agent, conversation.id],
      },
    ])
  }

  /** Drops what is over the limits: of this conversation, and of all of them. */
  async prune({ id, messages }: Conversation): Promise<void> {
    const { agent } = this
    const statements = [...this.old()]
    const extra = surplus(messages, this.limits)
    if (extra !== undefined) {
      statements.push({
        sql: 'DELETE FROM assistant_messages WHERE agent = ? AND conversation_id = ? AND seq > ? AND seq < ?',
        params: [agent, id, extra.after, extra.before],
      })
    }
    await this.db.transaction(statements)
  }

  private old(): Statement[] {
    const { conversations_max, conversation_days_max } = this.limits
    const { agent } = this
    return [
      {
        sql: 'DELETE FROM assistant_conversations WHERE agent = ? AND updated_at < ?',
        params: [agent, this.now() - conversation_days_max * DAY_MS],
      },
      {
        sql: `DELETE FROM assistant_conversations WHERE agent = ? AND id IN (SELECT id FROM assistant_conversations
          WHERE agent = ? ORDER BY updated_at DESC, rowid DESC LIMIT -1 OFFSET ?)`,
        params: [agent, agent, conversations_max],
      },
    ]
  }

  /** The ones used last, first. */
  async list(): Promise<ConversationInfo[]> {
    const rows = await this.db.query(
      `SELECT id, usage, updated_at, (SELECT count(*) FROM assistant_messages AS m
         WHERE m.agent = c.agent AND m.conversation_id = c.id) AS messages,
         (SELECT substr(content, 1, ${TITLE_CHARS}) FROM assistant_messages AS m
         WHERE m.agent = c.agent AND m.conversation_id = c.id ORDER BY seq LIMIT 1) AS title
       FROM assistant_conversations AS c WHERE agent = ? ORDER BY updated_at DESC, rowid DESC LIMIT ?`,
      [this.agent, LISTED_MAX],
    )
    return rows.map((row) => ({
      conversation_id: textOf(row, 'id'),
      title: textOf(row, 'title'),
      messages: Number(row['messages']),
      updated_at: Number(row['updated_at']),
      usage: usageOf(row),
    }))
  }
}

export const textOf = (row: SqlRow, name: string): string => String(row[name] ?? '')

function usageOf(row: SqlRow): Usage | null {
  const { usage } = row
  return typeof usage === 'string' ? (JSON.parse(usage) as Usage) : null
}

function messageOf(row: SqlRow): StoredMessage {
  return {
    seq: Number(row['seq']),
    kind: textOf(row, 'kind') as MessageKind,
    provider: textOf(row, 'provider'),
    content: textOf(row, 'content'),
  }
}
