/**
 * The tables of the assistant, and how they came to be. A migration is never edited, only followed by another, and only
 * adds: an older version that is put back goes on with the tables of a newer one. Used by the store.
 */
import type { Handle } from '../../contracts/module.ts'
import type { DatabaseApi } from '../../contracts/services.ts'

const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE IF NOT EXISTS assistant_conversations (
      agent TEXT NOT NULL, id TEXT NOT NULL, mark TEXT NOT NULL, provider TEXT NOT NULL, usage TEXT,
      created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, PRIMARY KEY (agent, id))`,
    `CREATE INDEX IF NOT EXISTS assistant_conversations_by_age ON assistant_conversations (agent, updated_at)`,
    `CREATE TABLE IF NOT EXISTS assistant_messages (
      agent TEXT NOT NULL, conversation_id TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
      provider TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (agent, conversation_id, seq),
      FOREIGN KEY (agent, conversation_id) REFERENCES assistant_conversations (agent, id) ON DELETE CASCADE)`,
    `CREATE TABLE IF NOT EXISTS assistant_approvals (
      approval_id TEXT PRIMARY KEY, agent TEXT NOT NULL, conversation_id TEXT NOT NULL, question TEXT NOT NULL,
      asked_at INTEGER NOT NULL, turn TEXT NOT NULL, decided_at INTEGER, decision TEXT,
      FOREIGN KEY (agent, conversation_id) REFERENCES assistant_conversations (agent, id) ON DELETE CASCADE)`,
    `CREATE INDEX IF NOT EXISTS assistant_approvals_by_conversation
      ON assistant_approvals (agent, conversation_id)`,
  ],
]

export async function migrate(db: Handle<DatabaseApi>): Promise<void> {
  await db.execute('CREATE TABLE IF NOT EXISTS assistant_migrations (version INTEGER PRIMARY KEY)')
  const [row] = await db.query('SELECT max(version) AS version FROM assistant_migrations')
  const done = Number(row?.['version'] ?? 0)
  for (const [index, statements] of MIGRATIONS.entries()) {
    if (index < done) continue
    // Two assistants may start at once: the second finds all of it there.
    const noted = { sql: 'INSERT OR IGNORE INTO assistant_migrations (version) VALUES (?)', params: [index + 1] }
    await db.transaction([...statements.map((sql) => ({ sql })), noted])
  }
}
