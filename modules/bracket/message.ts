/** All of a message that has come so far, in its chunks, put together only when somebody asks for it. */
export class Message {
  length = 0
  private chunks: string[] = []

  add(chunk: string): void {
    this.length += chunk.length
    this.chunks.push(chunk)
  }

  whole(): string {
    if (this.chunks.length > 1) this.chunks = [this.chunks.join('')]
    return this.chunks[0] ?? ''
  }
}
