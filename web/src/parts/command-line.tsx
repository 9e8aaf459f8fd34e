/** The command that does the same as what stands beside it, to be copied. */
import { useState } from 'preact/hooks'
import { Button } from './button.tsx'

export interface CommandLineProps {
  /** as it is typed: `mm rollback ticker` */
  command: string
}

const SAID_MS = 2_000

export function CommandLine({ command }: CommandLineProps) {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(command)
    setCopied(true)
    setTimeout(() => setCopied(false), SAID_MS)
  }
  return (
    <span class="command">
      <code>{command}</code>
      <Button
        kind="quiet"
        label={copied ? 'Copied' : `Copy ${command}`}
        onClick={() => void copy().catch(() => undefined)}
      >
        {copied ? '✓' : '⧉'}
      </Button>
    </span>
  )
}
