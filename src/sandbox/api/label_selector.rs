//! Label selectors that cannot be read, in the words of the real server
//! (`k8s.io/apimachinery/pkg/labels/selector.go`, whose lexer and parser this follows).

use crate::sandbox::problem::Problem;

const KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// Whether the text is a selector.
///
/// # Errors
/// It is none.
pub(super) fn check(text: &str) -> Result<(), Problem> {
    let mut parser = Parser { tokens: tokens(text), at: 0 };
    parser.selector().map_err(Problem::bad_request)
}

/// The words and signs of a selector.
fn tokens(text: &str) -> Vec<String> {
    let is_sign = |letter: char| "=!(),<>".contains(letter);
    let mut found: Vec<String> = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_whitespace() {
            continue;
        }
        let mut token = letter.to_string();
        if is_sign(letter) {
            // Only these are made of two letters.
            while let Some(next) = letters.peek()
                && matches!(format!("{token}{next}").as_str(), "==" | "!=")
            {
                token.extend(letters.next());
            }
        } else {
            while let Some(next) = letters.peek()
                && !is_sign(*next)
                && !next.is_ascii_whitespace()
            {
                token.extend(letters.next());
            }
        }
        found.push(token);
    }
    found
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn take(&mut self) -> String {
        let token = self.peek().to_owned();
        self.at += 1;
        token
    }

    fn selector(&mut self) -> Result<(), String> {
        if self.peek().is_empty() {
            return Ok(());
        }
        loop {
            match self.peek() {
                token if is_word(token) || token == "!" => {
                    self.requirement().map_err(|why| format!("unable to parse requirement: {why}"))?;
                    match self.peek() {
                        "" => return Ok(()),
                        "," => {
                            self.take();
                            if !(is_word(self.peek()) || self.peek() == "!") {
                                return Err(format!("found '{}', expected: identifier after ','", self.peek()));
                            }
                        }
                        other => return Err(format!("found '{other}', expected: ',' or 'end of string'")),
                    }
                }
                other => return Err(format!("found '{other}', expected: !, identifier, or 'end of string'")),
            }
        }
    }

    fn requirement(&mut self) -> Result<(), String> {
        let absent = self.peek() == "!";
        if absent {
            self.take();
        }
        let key = self.take();
        if !is_word(&key) {
            return Err(format!("found '{key}', expected: identifier"));
        }
        check_key(&key)?;
        if absent || matches!(self.peek(), "" | ",") {
            return Ok(());
        }
        let operator = self.take();
        match operator.as_str() {
            "in" | "notin" => self.values(&key),
            "=" | "==" | "!=" => {
                let value = if matches!(self.peek(), "" | ",") { String::new() } else { self.take() };
                if !(value.is_empty() || is_word(&value)) {
                    return Err(format!("found '{value}', expected: identifier"));
                }
                check_value(&key, 0, &value)
            }
            "<" | ">" => {
                let value = self.take();
                let whole = value.parse::<i64>().is_ok();
                let message = "for 'Gt', 'Lt' operators, the value must be an integer";
                if whole { Ok(()) } else { Err(format!("values[0][{key}]: Invalid value: \"{value}\": {message}")) }
            }
            other => Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
        }
    }

    fn values(&mut self, key: &str) -> Result<(), String> {
        let open = self.take();
        if open != "(" {
            return Err(format!("found '{open}' expected: '('"));
        }
        let mut number = 0;
        loop {
            let value = self.take();
            match value.as_str() {
                ")" => return Ok(()),
                "," => {}
                "" => return Err("found '', expected: ',', or identifier".into()),
                word if is_word(word) => {
                    check_value(key, number, word)?;
                    number += 1;
                    if !matches!(self.peek(), "," | ")") {
                        return Err(format!("found '{}', expected: ',' or ')'", self.peek()));
                    }
                }
                other => return Err(format!("found '{other}', expected: ',', ')' or identifier")),
            }
        }
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|letter: char| !"=!(),<>".contains(letter))
}

fn check_key(key: &str) -> Result<(), String> {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    if name.len() <= 63 && !name.is_empty() && is_plain(name) {
        return Ok(());
    }
    Err(format!("<nil>: Invalid value: \"{key}\": {KEY}"))
}

fn check_value(key: &str, number: usize, value: &str) -> Result<(), String> {
    if value.len() > 63 {
        let why = "must be no more than 63 bytes";
        return Err(format!("values[{number}][{key}]: Invalid value: \"{value}\": {why}"));
    }
    if value.is_empty() || is_plain(value) {
        return Ok(());
    }
    Err(format!("values[{number}][{key}]: Invalid value: \"{value}\": {VALUE}"))
}

fn is_plain(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    end(bytes.first()) && end(bytes.last()) && bytes.iter().all(|byte| inside(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_selector_is_refused_as_the_real_server_does() {
        for (text, wanted) in [
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a=b=c", "found '=', expected: ',' or 'end of string'"),
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ] {
            assert_eq!(check(text).unwrap_err().message, wanted, "{text}");
        }
        assert!(
            check("-a").unwrap_err().message.starts_with("unable to parse requirement: <nil>: Invalid value: \"-a\"")
        );
        for text in ["", "a", "!a", "a=b,c!=d", "e in (f, g),h notin (i)", "a.b/c=d", "a="] {
            assert!(check(text).is_ok(), "{text}");
        }
    }
}
