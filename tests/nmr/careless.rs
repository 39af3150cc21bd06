//! A driver in C that makes mistakes.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;

use nmr_netdma::nmr::Npi;
use nmr_netdma::sys;

use super::echo::{CallerFunctions, Echo, ServerFunctions};

/// What the careless driver registers, and what it saw.
pub(crate) struct Careless {
    pub(crate) id: sys::NPI_MODULEID,
    pub(crate) npi: sys::GUID,
    pub(crate) instance_size: u16,
    pub(crate) shows: *const c_void,
    pub(crate) functions: *const c_void,
    pub(crate) calls_early: bool,
    pub(crate) early_answer: Cell<Option<u32>>,
    pub(crate) attach_answer: Cell<Option<i32>>,
}

impl Careless {
    pub(crate) fn new() -> Self {
        let guid = sys::GUID {
            Data1: 1,
            ..sys::GUID::default()
        };
        Self {
            id: sys::NPI_MODULEID {
                Length: 24,
                Type: sys::MIT_GUID,
                u: sys::NPI_MODULEID_u { Guid: guid },
            },
            npi: Echo::ID.to_sys(),
            instance_size: 40,
            shows: ptr::null(),
            functions: ptr::null(),
            calls_early: false,
            early_answer: Cell::new(None),
            attach_answer: Cell::new(None),
        }
    }

    fn instance(&self) -> sys::NPI_REGISTRATION_INSTANCE {
        sys::NPI_REGISTRATION_INSTANCE {
            Version: 0,
            Size: self.instance_size,
            NpiId: &raw const self.npi,
            ModuleId: &raw const self.id,
            Number: 0,
            NpiSpecificCharacteristics: self.shows,
        }
    }

    /// Registers as a provider, runs `body`, deregisters and waits.
    pub(crate) fn provide(&self, body: impl FnOnce()) {
        let characteristics = sys::NPI_PROVIDER_CHARACTERISTICS {
            Version: 0,
            Length: 72,
            ProviderAttachClient: Some(provider_attach),
            ProviderDetachClient: Some(detach),
            ProviderCleanupBindingContext: None,
            ProviderRegistrationInstance: self.instance(),
        };
        let mut handle = ptr::null_mut();
        let context = ptr::from_ref(self).cast_mut().cast();
        // SAFETY: all of it lives until the wait below has returned.
        let status = unsafe {
            sys::NmrRegisterProvider(&raw const characteristics, context, &raw mut handle)
        };
        assert_eq!(status, sys::STATUS_SUCCESS);
        body();
        // SAFETY: registered above.
        let status = unsafe { sys::NmrDeregisterProvider(handle) };
        assert_eq!(status, sys::STATUS_PENDING);
        // SAFETY: deregistration is pending.
        let status = unsafe { sys::NmrWaitForProviderDeregisterComplete(handle) };
        assert_eq!(status, sys::STATUS_SUCCESS);
    }

    /// Registers as a client, runs `body`, deregisters and waits.
    pub(crate) fn consume(&self, body: impl FnOnce()) {
        let characteristics = sys::NPI_CLIENT_CHARACTERISTICS {
            Version: 0,
            Length: 72,
            ClientAttachProvider: Some(client_attach),
            ClientDetachProvider: Some(detach),
            ClientCleanupBindingContext: None,
            ClientRegistrationInstance: self.instance(),
        };
        let mut handle = ptr::null_mut();
        let context = ptr::from_ref(self).cast_mut().cast();
        // SAFETY: all of it lives until the wait below has returned.
        let status =
            unsafe { sys::NmrRegisterClient(&raw const characteristics, context, &raw mut handle) };
        assert_eq!(status, sys::STATUS_SUCCESS);
        body();
        // SAFETY: registered above.
        let status = unsafe { sys::NmrDeregisterClient(handle) };
        assert_eq!(status, sys::STATUS_PENDING);
        // SAFETY: deregistration is pending.
        let status = unsafe { sys::NmrWaitForClientDeregisterComplete(handle) };
        assert_eq!(status, sys::STATUS_SUCCESS);
    }
}

unsafe extern "system" fn provider_attach(
    _binding: sys::HANDLE,
    context: sys::PVOID,
    _client: sys::PNPI_REGISTRATION_INSTANCE,
    client_context: sys::PVOID,
    client_dispatch: *const c_void,
    binding_context: *mut sys::PVOID,
    dispatch: *mut *const c_void,
) -> sys::NTSTATUS {
    // SAFETY: the context is what `provide` registered.
    let this = unsafe { &*context.cast::<Careless>() };
    if this.calls_early {
        // SAFETY: the tests' clients always have a table.
        let functions = unsafe { client_dispatch.cast::<CallerFunctions>().read() };
        // SAFETY: the wrong moment, but the right context.
        let answer = functions
            .notify
            .map(|notify| unsafe { notify(client_context, 1) });
        this.early_answer.set(answer);
    }
    // SAFETY: the registrar passes places for both.
    unsafe { binding_context.write(context) };
    // SAFETY: as above.
    unsafe { dispatch.write(this.functions) };
    sys::STATUS_SUCCESS
}

unsafe extern "system" fn client_attach(
    binding: sys::HANDLE,
    context: sys::PVOID,
    _provider: sys::PNPI_REGISTRATION_INSTANCE,
) -> sys::NTSTATUS {
    // SAFETY: the context is what `consume` registered.
    let this = unsafe { &*context.cast::<Careless>() };
    let mut provider_context = ptr::null_mut();
    let mut provider_dispatch = ptr::null();
    // SAFETY: inside the attach callback, with a context that lives as long as the registration.
    let status = unsafe {
        sys::NmrClientAttachProvider(
            binding,
            context,
            this.functions,
            &raw mut provider_context,
            &raw mut provider_dispatch,
        )
    };
    this.attach_answer.set(Some(status));
    status
}

unsafe extern "system" fn detach(_context: sys::PVOID) -> sys::NTSTATUS {
    sys::STATUS_SUCCESS
}

pub(crate) unsafe extern "system" fn plus_one(_context: *mut c_void, value: u32) -> u32 {
    value + 1
}

/// A table as the first version of the interface had it, followed by what is not the table's.
pub(crate) static OLD_TABLE: ServerFunctions = ServerFunctions {
    size: core::mem::offset_of!(ServerFunctions, twice) as u32,
    echo: Some(plus_one),
    twice: Some(plus_one),
};
