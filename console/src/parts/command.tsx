import { useState } from 'preact/hooks';

const SHOWN_MS = 1500;

/** The same by the command line, to copy. */
export const Command = ({ text }: { text: string }) => {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text).catch(() => {});
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <span class="command">
      <code>{text}</code>
      <button type="button" onClick={() => void copy()} aria-label={`Copy: ${text}`}>
        {isCopied ? 'copied' : 'copy'}
      </button>
    </span>
  );
};

/** Commands that do what a page shows or does. */
export const Commands = ({ texts }: { texts: readonly string[] }) => (
  <p class="commands">
    <span class="muted">On the command line</span>
    {texts.map((text) => (
      <Command key={text} text={text} />
    ))}
  </p>
);
