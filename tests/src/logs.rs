//! Logs of accesses in common formats: recorded traces, and text with one key in each line.

use std::{
    collections::HashMap,
    error::Error,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use crate::frames::Frames;

/// The accesses of a log, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Log {
    /// Keys alone.
    Keys(Vec<u64>),
    /// Keys with sizes and lifetimes.
    Sized(Vec<Row>),
}

/// One access of a [`Log::Sized`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Seconds since the first access.
    pub time: u64,
    /// The key.
    pub key: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its lifetime in seconds; zero means for ever.
    pub ttl: u64,
}

/// The first line of a log with sizes.
const HEADER: &str = "time_s,key,size,ttl";

/// Reads a log. A file named `.u64` has keys of eight bytes each, the lowest byte first. A file that begins with that
/// header has lines of `time_s,key,size,ttl`. Any other file has one key in each line. If the name also ends in `.zst`,
/// it is unpacked first.
///
/// # Errors
///
/// If it cannot be read, or if a line with sizes is not four numbers; the error names the line.
pub fn read(path: &Path) -> Result<Log, Box<dyn Error>> {
    let file = File::open(path)?;
    let name = path.to_string_lossy();
    let (name, reader): (&str, Box<dyn Read>) = match name.strip_suffix(".zst") {
        Some(name) => (name, Box::new(Frames::new(BufReader::new(file)))),
        None => (&name, Box::new(file)),
    };
    if name.ends_with(".u64") { Ok(Log::Keys(words(reader)?)) } else { lines(BufReader::new(reader)) }
}

fn words(mut reader: impl Read) -> io::Result<Vec<u64>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    let word = |word: &[u8]| word.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    Ok(bytes.chunks_exact(8).map(word).collect())
}

fn lines(reader: impl BufRead) -> Result<Log, Box<dyn Error>> {
    let mut lines = reader.lines();
    let first = lines.next().transpose()?;
    if first.as_deref().map(str::trim_end) == Some(HEADER) {
        let rows = lines.enumerate().map(|(number, line)| row(&line?).ok_or_else(|| wrong(number + 2)));
        return rows.collect::<Result<_, Box<dyn Error>>>().map(Log::Sized);
    }
    let mut numbers = Numbers::default();
    let keys = first.into_iter().map(Ok).chain(lines).map(|line| line.map(|line| numbers.of(line.trim_end())));
    Ok(Log::Keys(keys.collect::<io::Result<_>>()?))
}

fn wrong(number: usize) -> Box<dyn Error> {
    format!("line {number}: not four numbers, {HEADER}").into()
}

fn row(line: &str) -> Option<Row> {
    let mut fields = line.trim_end().split(',').map(|field| field.parse().ok());
    let mut next = || fields.next().flatten();
    let row = Row { time: next()?, key: next()?, size: next()?, ttl: next()? };
    fields.next().is_none().then_some(row)
}

/// A number for each text.
#[derive(Default)]
struct Numbers(HashMap<String, u64>);

impl Numbers {
    fn of(&mut self, text: &str) -> u64 {
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = self.0.len() as u64;
        self.0.insert(text.to_owned(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::{Log, Row, lines, words};

    #[test]
    fn a_line_is_a_key() {
        let log = lines("/a\n/b\r\n/a\n".as_bytes()).expect("a log");
        assert_eq!(log, Log::Keys(vec![0, 1, 0]));
        assert_eq!(lines("".as_bytes()).expect("a log"), Log::Keys(vec![]));
    }

    #[test]
    fn a_header_tells_of_sizes() {
        let log = lines("time_s,key,size,ttl\n0,7,100,0\n3,8,5,60\n".as_bytes()).expect("a log");
        let rows = vec![Row { time: 0, key: 7, size: 100, ttl: 0 }, Row { time: 3, key: 8, size: 5, ttl: 60 }];
        assert_eq!(log, Log::Sized(rows));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for wrong in ["3,8,5", "3,8,5,60,1", "3,8,five,60", ""] {
            let text = format!("time_s,key,size,ttl\n0,7,100,0\n{wrong}\n");
            let error = lines(text.as_bytes()).expect_err(wrong);
            assert!(error.to_string().starts_with("line 3:"), "{error}");
        }
    }

    #[test]
    fn words_have_their_lowest_byte_first() {
        assert_eq!(words(&[1, 2, 0, 0, 0, 0, 0, 0, 3][..]).expect("words"), [513]);
    }
}
