//! Registers and code.

use serde::de::MapAccess;

use crate::reports::ips::object::{Field, Fields};
use crate::reports::model::{InstructionStream, Register, ThreadState};

/// Above any architecture's: arm64 has 29 in its list, x86_64 22 in all.
const REGISTER_LIMIT: usize = 256;

impl Fields for ThreadState {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "flavor" => self.flavor = field.text()?,
            "x" => {
                let mut list: Vec<Register> = Vec::new();
                field.list(&mut list, REGISTER_LIMIT)?;
                for (number, register) in list.iter_mut().enumerate() {
                    register.name = format!("x{number}");
                }
                self.registers.append(&mut list);
            }
            name if self.registers.len() < REGISTER_LIMIT => {
                let name = name.to_owned();
                let mut register = Register::default();
                if field.object(&mut register)? {
                    register.name = name;
                    self.registers.push(register);
                }
            }
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for Register {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "value" => self.value = field.number()?,
            "description" => self.description = field.text()?,
            "symbol" => self.symbol = field.text()?,
            "symbolLocation" => self.symbol_location = field.number()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for InstructionStream {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "bytes" => self.bytes = numbers(&field.texts()?),
            "offset" => self.offset = field.number()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// Numbers that were read as their digits; none where one is no number of that type, as the place
/// of each tells something.
pub(super) fn numbers<T: std::str::FromStr>(digits: &[String]) -> Vec<T> {
    let read: Result<Vec<T>, _> = digits.iter().map(|text| text.parse()).collect();
    read.unwrap_or_default()
}
