//! What a number on the command line asks for.

use crate::{
    error::{Error, Result},
    model::Scaling,
};

/// Reads `N`, `+N`, `-N` or `N..M`.
///
/// # Errors
/// Usage, when it is none of them.
pub fn parse(word: &str) -> Result<Scaling> {
    let wrong = || {
        Error::usage(format!("{word:?} is no number of replicas"))
            .hint("write 3, +1, -1, or 2..6 for the bounds of an autoscaler")
    };
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<u32>().ok().filter(|number| *number <= i32::MAX as u32).ok_or_else(wrong),
        false => Err(wrong()),
    };
    if let Some((min, max)) = word.split_once("..") {
        let (min, max) = (number(min)?, number(max)?);
        if min > max || max == 0 {
            return Err(Error::usage(format!("{word:?} are no bounds")).hint("the lower one comes first, as in 2..6"));
        }
        return Ok(Scaling::Between { min, max });
    }
    match (word.strip_prefix('+'), word.strip_prefix('-')) {
        (Some(more), _) => Ok(Scaling::By(number(more)?.into())),
        (_, Some(fewer)) => Ok(Scaling::By(-i64::from(number(fewer)?))),
        _ => Ok(Scaling::To(number(word)?)),
    }
}

/// The number of replicas that is asked for, from the one there is.
///
/// # Errors
/// Usage, when it would be below zero.
pub fn wanted(current: u32, scaling: &Scaling) -> Result<u32> {
    match scaling {
        Scaling::To(number) => Ok(*number),
        Scaling::By(change) => u32::try_from(i64::from(current) + change)
            .map_err(|_| Error::usage(format!("{current} replicas and {change} is below zero"))),
        _ => Ok(current),
    }
}

/// Holds a number to the bounds of the configuration.
///
/// # Errors
/// Usage, naming the bound.
pub fn within(number: u32, min: u32, max: u32) -> Result<()> {
    let bound = match number {
        number if number < min => format!("{number} replicas are less than the {min} of scale.min"),
        number if number > max => format!("{number} replicas are more than the {max} of scale.max"),
        _ => return Ok(()),
    };
    Err(Error::usage(bound).hint("--force goes beyond; scale.min and scale.max in evolve.yaml set the bounds"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_is_a_number_a_change_or_two_bounds() {
        assert_eq!(parse("3").unwrap(), Scaling::To(3));
        assert_eq!(parse("+2").unwrap(), Scaling::By(2));
        assert_eq!(parse("-1").unwrap(), Scaling::By(-1));
        assert_eq!(parse("2..6").unwrap(), Scaling::Between { min: 2, max: 6 });
        for wrong in ["", "+", "x", "1.5", "6..2", "0..0", "..", "1..", "+-1", "4294967296", "2147483648"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_change_counts_from_what_there_is() {
        assert_eq!(wanted(3, &Scaling::By(-1)).unwrap(), 2);
        assert!(wanted(1, &Scaling::By(-2)).is_err());
        assert_eq!(wanted(1, &Scaling::To(4)).unwrap(), 4);
    }

    #[test]
    fn bounds_are_named() {
        assert!(within(5, 0, 5).is_ok());
        assert_eq!(within(6, 0, 5).unwrap_err().message(), "6 replicas are more than the 5 of scale.max");
        assert!(within(0, 1, 5).is_err());
    }

    proptest! {
        #[test]
        fn no_word_breaks_the_reader(word in "\\PC{0,12}") {
            let _ = parse(&word);
        }
    }
}
