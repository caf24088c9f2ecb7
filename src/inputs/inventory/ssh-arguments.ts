import { Refusal } from '../fields.ts';

/** What `ansible_ssh_common_args` says of the way to the host. */
export interface SshArguments {
  /** As the input `ssh-jump` takes it; an empty string for `none`. */
  readonly jump: string | undefined;
  /** A ProxyCommand is in the way. */
  readonly proxyCommand: boolean;
  /** Options that have no meaning here. */
  readonly ignored: readonly string[];
}

/** Options that take a value in a word of its own: ssh(1). */
const withValue = /^-[BbcDEeFIiJLlmOopQRSWw]$/;

/** Reads `-J bastion -o ServerAliveInterval=30`: of two jumps the first counts, as with ssh. */
export function sshArguments(line: string): SshArguments {
  const words = (line.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? []).map((word) =>
    word.replaceAll(/["']/g, ''),
  );
  const jumps: string[] = [];
  const ignored: string[] = [];
  let proxyCommand = false;
  for (let index = 0; index < words.length; index++) {
    let [option, value] = [words[index]?.slice(0, 2) ?? '', words[index]?.slice(2) ?? ''];
    if (value === '' && withValue.test(option)) value = words[++index] ?? '';
    const [, keyword = '', setting = ''] =
      option === '-o' ? (/^\s*(\w+)\s*[=\s]\s*(.*)$/s.exec(value) ?? []) : [];
    if (option === '-J' || /^proxyjump$/i.test(keyword)) jumps.push(option === '-J' ? value : setting);
    else if (/^proxycommand$/i.test(keyword) && setting !== 'none') proxyCommand = true;
    else ignored.push(keyword === '' ? `${option}${value && ` ${value}`}` : keyword);
  }
  const [jump] = jumps;
  return { jump: jump === 'none' ? '' : jump?.replaceAll('ssh://', ''), proxyCommand, ignored };
}

/** @throws Refusal for a way that this tool does not go */
export function jumpOf(line: string): string {
  const { jump, proxyCommand } = sshArguments(line);
  if (jump === undefined && proxyCommand) {
    throw new Refusal(
      'holds a ProxyCommand, which would run on the runner: write it as -J user@host:port, or give ssh-jump',
    );
  }
  return jump ?? '';
}
