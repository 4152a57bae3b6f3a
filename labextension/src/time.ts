import type { JobDetail } from './generated/api';
import { isFinal } from './state';

const MONTH_S = 30 * 86_400;

/** `H:MM:SS` as wall times are written, `M:SS` below an hour. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** How long it has run, in seconds; null before it started. Clocks differ between machines: never below zero. */
export function elapsed(job: JobDetail, now: number): number | null {
  if (job.StartTime === undefined) {
    return null;
  }
  const end = job.EndTime ?? (isFinal(job.State) ? undefined : now);
  return end === undefined ? null : Math.max(0, end - job.StartTime);
}

/** Date and time as this browser writes them; the year if it is another one. */
export function moment(seconds: number): string {
  const date = new Date(seconds * 1000);
  const sameYear = date.getFullYear() === new Date().getFullYear();
  const year = sameYear ? {} : ({ year: 'numeric' } as const);
  return date.toLocaleString(undefined, {
    ...year,
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit'
  });
}

/** Date, time and zone in full. */
export function exact(seconds: number): string {
  const text = new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'long' });
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return timeZone && !text.includes(timeZone) ? `${text} (${timeZone})` : text;
}

/** The time of day, with the date if it is another day than today. */
export function clock(seconds: number): string {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return today ? date.toLocaleTimeString(undefined, { hour: 'numeric', minute: '2-digit', second: '2-digit' }) : moment(seconds);
}

/** How long something lasts, in its largest unit: "4 min". */
export function span(seconds: number): string {
  const units: [number, string][] = [
    [86400, 'day'],
    [3600, 'hour'],
    [60, 'minute']
  ];
  const past = Math.max(0, Math.floor(seconds));
  const [size, unit] = units.find(([length]) => past >= length) ?? [1, 'second'];
  const language = document.documentElement.lang || undefined;
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(Math.floor(past / size));
}

/** "3 hours ago" in short, in the page's language; after a month the day. */
export function ago(seconds: number, now: number): string {
  const past = Math.max(0, now - seconds);
  if (past > MONTH_S) {
    const date = new Date(seconds * 1000);
    return date.toLocaleDateString(undefined, { year: 'numeric', month: 'short', day: 'numeric' });
  }
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang || undefined, {
    numeric: 'auto',
    style: 'narrow'
  });
  const units: [number, Intl.RelativeTimeFormatUnit][] = [
    [86400, 'day'],
    [3600, 'hour'],
    [60, 'minute']
  ];
  const [size, unit] = units.find(([length]) => past >= length) ?? [1, 'second'];
  return past < 60 ? format.format(0, 'minute') : format.format(-Math.floor(past / size), unit);
}
